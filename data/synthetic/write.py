"""Write the synthetic England to a folder as suppliers would send it, the truth and the faults beside it."""

from __future__ import annotations

from pathlib import Path

from data.synthetic.ae_activity import ae_publications
from data.synthetic.bed_activity import bed_publications
from data.synthetic.documents import Document
from data.synthetic.england import build_england
from data.synthetic.faults import faulty_bytes, load_faults
from data.synthetic.layouts.ae_monthly import ae_files
from data.synthetic.layouts.covid_workbook import covid_workbooks
from data.synthetic.layouts.ods import ods_files
from data.synthetic.samples import sample_files
from data.synthetic.truth import truth_files

README = """The synthetic England
=====================

Everything here is invented. No organisation, figure, address, telephone number or position is real. The
codes of organisations begin with Z (primary care networks: U000, commissioning groups: 9Z) and belong to
nobody. Only the codes of regions, STPs/ICBs and local offices and the wording of the layouts are those of
real publications.

<feed>/    good files, laid out as the publishers lay theirs out
truth/     what a datastore should know after reading them (spring list of trusts before the autumn one)
faults/    one broken file per gate rule, named for the rule that must catch it

Made by data/synthetic with seed {seed}: the same seed writes the same bytes.
"""


def write(directory: Path, seed: int = 2020) -> list[Path]:
    """Write every file below `directory` (made when absent, files of the same name replaced).

    Returns the paths written, in order. The same seed writes the same bytes.
    """
    england = build_england(seed)
    monthly, weekly = ae_publications(england, seed), bed_publications(england, seed)
    documents: list[Document] = [
        *ae_files(england, monthly, seed),
        *covid_workbooks(england, weekly),
        *ods_files(england),
        *sample_files(),
    ]
    content = {f"{document.feed}/{document.name}": document.render() for document in documents}
    for name, text in truth_files(england, [*monthly, *weekly]).items():
        content[f"truth/{name}"] = text.encode()
    for fault in load_faults():
        content[f"faults/{fault.file_name}"] = faulty_bytes(fault, documents)
    content["README.txt"] = README.format(seed=seed).encode()
    return [_put(directory / name, data) for name, data in content.items()]


def _put(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path
