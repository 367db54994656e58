"""The people of the synthetic England: person-level feeds of any size, from a seed."""

from data.synthetic.persons.write import Size, write_people

__all__ = ["Size", "write_people"]
