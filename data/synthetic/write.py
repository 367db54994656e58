"""Write the synthetic England to a folder as suppliers would send it, the truth and the faults beside it."""

from __future__ import annotations

from pathlib import Path

from data.synthetic.ae_activity import ae_publications
from data.synthetic.ambulance_activity import ambulance_publications
from data.synthetic.bed_activity import bed_publications
from data.synthetic.dashboard_activity import dashboard_publications
from data.synthetic.deaths_activity import deaths_publications
from data.synthetic.documents import Document
from data.synthetic.england import England, build_england
from data.synthetic.faults import faulty_bytes, load_faults
from data.synthetic.kh03_activity import quarterly_publications
from data.synthetic.layouts.ae_monthly import ae_files
from data.synthetic.layouts.ambulance_csv import ambulance_files
from data.synthetic.layouts.covid_workbook import covid_workbooks
from data.synthetic.layouts.dashboard_files import dashboard_files
from data.synthetic.layouts.deaths_workbook import deaths_workbooks
from data.synthetic.layouts.kh03_workbook import kh03_workbooks
from data.synthetic.layouts.msitrep_workbook import msitrep_workbooks
from data.synthetic.layouts.ods import ods_files
from data.synthetic.layouts.series_workbook import series_workbooks
from data.synthetic.layouts.transfers_workbook import transfers_workbooks
from data.synthetic.layouts.vaccinations_workbook import vaccination_workbooks
from data.synthetic.layouts.winter_workbook import winter_workbooks
from data.synthetic.msitrep_activity import census_publications
from data.synthetic.persons import Size, write_people
from data.synthetic.publication import Publication
from data.synthetic.samples import person_samples, sample_files
from data.synthetic.series_activity import series_publications
from data.synthetic.transfers_activity import transfers_publications
from data.synthetic.truth import truth_files
from data.synthetic.vaccinations_activity import vaccination_publications
from data.synthetic.winter_activity import winter_publications

README = """The synthetic England
=====================

Everything here is invented. No organisation, person, figure, address, telephone number or position is real. NHS
numbers begin with 999, the range kept for tests; postcodes with ZZ, which no place has. The codes of organisations
begin with Z (primary care networks: U000, commissioning groups: 9Z; local authorities: E..999...) and belong to nobody.
Only the codes of England, regions, STPs/ICBs and local offices and the wording of the layouts are those of real
publications.

<feed>/    good files, laid out as the publishers lay theirs out, and records of people as providers send them: with the
           errors that those have, a few rows in a hundred
truth/     what a datastore should know after reading them (spring list of trusts before the autumn one)
truth/persons/   the same of the records of people
manifest.json    the files of people's records: rows, and how many of them must be refused and why
faults/    one broken file per gate rule, named for the rule that must catch it

Made by data/synthetic with seed {seed}: the same seed writes the same bytes.
"""


def figures(england: England, seed: int) -> dict[str, list[Publication]]:
    """What every feed of figures publishes, by feed, oldest first."""
    monthly, weekly = ae_publications(england, seed), bed_publications(england, seed)
    return {
        "ae_monthly": monthly,
        "covid_hospital_activity": weekly,
        "uec_sitrep": winter_publications(england, seed),
        "kh03_beds": quarterly_publications(england, seed),
        "critical_care_msitrep": census_publications(england, seed),
        "covid_deaths": deaths_publications(england, seed),
        "delayed_transfers": transfers_publications(seed),
        "covid_vaccinations": vaccination_publications(seed),
        "ae_timeseries": series_publications(monthly),
        "ambulance_ambsys": ambulance_publications(england, seed),
        "ukhsa_dashboard": dashboard_publications(weekly, seed),
    }


def write(directory: Path, seed: int = 2020) -> list[Path]:
    """Write every file below `directory` (made when absent, files of the same name replaced).

    Returns the paths written, in order. The same seed writes the same bytes.
    """
    documents, written = _write_supplied(directory, seed)
    bases = [*documents, *person_samples()]
    faults = {f"faults/{fault.file_name}": faulty_bytes(fault, bases) for fault in load_faults()}
    return [*written, *(_put(directory / name, data) for name, data in faults.items())]


def write_supplied(directory: Path, seed: int = 2020) -> list[Path]:
    """The same without the faults, whose making takes longer than all the rest."""
    return _write_supplied(directory, seed)[1]


def _write_supplied(directory: Path, seed: int) -> tuple[list[Document], list[Path]]:
    england = build_england(seed)
    told = figures(england, seed)
    documents = _documents(england, told, seed)
    content = {f"{document.feed}/{document.name}": document.render() for document in documents}
    publications = [publication for of_feed in told.values() for publication in of_feed]
    for name, text in truth_files(england, publications).items():
        content[f"truth/{name}"] = text.encode()
    content["README.txt"] = README.format(seed=seed).encode()
    written = [_put(directory / name, data) for name, data in content.items()]
    people = write_people(directory, Size(seed=seed), told)
    return documents, [*written, *(directory / file.name for file in people)]


def _documents(england: England, told: dict[str, list[Publication]], seed: int) -> list[Document]:
    return [
        *ae_files(england, told["ae_monthly"], seed),
        *covid_workbooks(england, told["covid_hospital_activity"]),
        *winter_workbooks(england, told["uec_sitrep"]),
        *kh03_workbooks(england, told["kh03_beds"]),
        *msitrep_workbooks(england, told["critical_care_msitrep"]),
        *deaths_workbooks(england, told["covid_deaths"]),
        *transfers_workbooks(told["delayed_transfers"]),
        *vaccination_workbooks(seed),
        *series_workbooks(told["ae_timeseries"]),
        *ambulance_files(england, told["ambulance_ambsys"]),
        *dashboard_files(told["ukhsa_dashboard"]),
        *ods_files(england),
        *sample_files(),
    ]


def _put(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path
