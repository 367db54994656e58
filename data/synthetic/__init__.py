"""The synthetic England: fictional organisations, files in real layouts, the truth, and a fault per rule."""

from data.synthetic.faults import Fault, load_faults
from data.synthetic.write import write, write_supplied

__all__ = ["Fault", "load_faults", "write", "write_supplied"]
