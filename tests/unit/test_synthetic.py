"""The synthetic England: repeatable, true to itself, and broken only where a fault says so."""

from __future__ import annotations

import csv
import datetime as dt
import io
import os
import subprocess
import sys
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from data.synthetic import Fault, load_faults, write

ROOT = Path(__file__).resolve().parents[2]
FIGURES = ("ae_monthly", "covid_hospital_activity")
FAULTS = load_faults()
SHEETS = {
    "Hosp ads & diag": "admissions_and_diagnoses__all",
    "New hosp cases": "new_hospital_cases__all",
    "Hosp ads from comm": "community_admissions__all",
    "Hosp ads from comm with lag": "community_admissions_lagged__all",
    "Care home ads and diags": "care_home_admissions__all",
    "All beds COVID": "covid_occupied_beds__all",
    "MV beds COVID": "covid_occupied_beds__mechanical_ventilation",
    "Adult G&A Beds Occupied COVID": "covid_occupied_beds__general_acute",
    "Adult G&A Bed Occupied NonCOVID": "non_covid_occupied_beds__general_acute",
    "Adult G&A Beds Unoccupied": "unoccupied_beds__general_acute",
    "Adult G&A Beds Unoccupied Non": "unoccupied_beds_non_covid__general_acute",
    "Adult CC Beds Occupied COVID": "covid_occupied_beds__adult_critical_care",
    "Adult CC Bed Occupied NonCOVID": "non_covid_occupied_beds__adult_critical_care",
    "Adult CC Beds Unoccupied": "unoccupied_beds__adult_critical_care",
    "Adult CC Beds Unoccupied Non": "unoccupied_beds_non_covid__adult_critical_care",
}

Grid = list[list[object]]


@pytest.fixture(scope="module")
def england(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that seed 2020 writes."""
    folder = tmp_path_factory.mktemp("england")
    write(folder)
    return folder


def test_same_seed_same_bytes(england: Path, tmp_path: Path) -> None:
    """Another process, whose sets and dicts hash differently, writes the same files."""
    program = "import sys, pathlib; from data.synthetic import write; write(pathlib.Path(sys.argv[1]), 2020)"
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": str(ROOT), "TZ": "Pacific/Auckland"}
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True, env=environment)
    assert _contents(tmp_path) == _contents(england)


def test_another_seed_tells_another_story(england: Path, tmp_path: Path) -> None:
    """The figures and the field test change; the organisations and every fault still fit."""
    write(tmp_path, seed=7)
    other, usual = _contents(tmp_path), _contents(england)
    assert other.keys() == usual.keys()
    assert other["truth/organisations.csv"] == usual["truth/organisations.csv"]
    assert other["truth/field_test.csv"] != usual["truth/field_test.csv"]
    assert other["truth/observation.csv"] != usual["truth/observation.csv"]


def test_workbooks_carry_no_clock(england: Path) -> None:
    """Created on the day of publication; the archive's own dates are fixed."""
    for path in _files(england, "covid_hospital_activity"):
        published = dt.datetime.strptime(path.stem[-6:], "%y%m%d").date()
        with zipfile.ZipFile(path) as archive:
            assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
            assert f"{published}T09:30:00Z".encode() in archive.read("docProps/core.xml")


def test_good_files_break_no_rule(england: Path) -> None:
    for feed in FIGURES:
        for path in _files(england, feed):
            assert _broken(path.read_bytes(), feed) == set(), path.name


def test_ae_files_say_what_is_true(england: Path) -> None:
    """Every printed cell is the true figure; where the field test reported nothing, the file prints 0."""
    truth = {
        (row["metric_id"], row["period_start"], row["org_code"]): row["value"]
        for row in _truth(england, "observation.csv")
        if row["metric_id"].endswith("__msitae")
    }
    printed = {}
    for path in _files(england, "ae_monthly"):
        header, *rows = _csv(path.read_bytes())
        for row in rows[:-1]:
            for name, cell in zip(header[4:], row[4:], strict=True):
                printed[_ae_metric(str(name)), _month(str(row[0])), str(row[1])] = str(cell)
    assert truth.keys() == printed.keys()
    tested = {(row["month"], row["org_code"]) for row in _truth(england, "field_test.csv")}
    missing = {key for key, value in truth.items() if value == ""}
    over = {key for key in truth if key[0].startswith("over_four_hours") and key[1:] in tested}
    assert missing == over
    assert {key: "0" if key in over else value for key, value in truth.items()} == printed


def test_fourteen_trusts_and_no_other_look_like_the_field_test(england: Path) -> None:
    """With type 1 attendances above 1,000 and nobody over four hours: 14 to May 2023, none after."""
    for path in _files(england, "ae_monthly"):
        header, *rows = _csv(path.read_bytes())
        attendances = next(n for n, name in enumerate(header) if str(name).endswith("attendances Type 1"))
        breaches = [n for n, name in enumerate(header) if "over 4hrs" in str(name)]
        silent = [
            row
            for row in rows[:-1]
            if int(str(row[attendances])) > 1000 and all(row[column] == "0" for column in breaches)
        ]
        assert len(silent) == (0 if "2024" in path.name else 14), path.name


def test_england_in_the_workbooks_equals_the_truth(england: Path) -> None:
    """Each ENGLAND cell is the sum of what the truth knew when that issue was published."""
    known: dict[tuple[str, str], list[tuple[str, str, int]]] = defaultdict(list)
    for row in _truth(england, "observation.csv"):
        if row["metric_id"].endswith("covid_sitrep"):
            key = (row["metric_id"].removesuffix("__covid_sitrep"), row["period_start"])
            known[key].append((row["known_from"], row["known_to"] or "9999", int(row["value"] or 0)))
    compared = 0
    for path in _files(england, "covid_hospital_activity"):
        published = str(dt.datetime.strptime(path.stem[-6:], "%y%m%d").date())
        for name, grid in _sheets(path.read_bytes()).items():
            for day, total in zip(grid[14][4:], grid[15][4:], strict=True):
                then = [value for start, end, value in known[SHEETS[name], str(day)] if start <= published < end]
                assert total == sum(then), (path.name, name, day)
                compared += 1
    assert compared > 1000


def test_occupancy_truth_equals_the_newest_england_rows(england: Path) -> None:
    newest: dict[tuple[str, str], object] = {}
    for path in _files(england, "covid_hospital_activity"):
        for name, grid in _sheets(path.read_bytes()).items():
            newest.update({(SHEETS[name], str(d)): v for d, v in zip(grid[14][4:], grid[15][4:], strict=True)})
    rows = [row for row in _truth(england, "occupancy.csv") if row["open_beds"]]
    assert len(rows) == 2 * 64
    for row in rows:
        covid, other, empty = (
            newest[f"{part}_beds__{row['bed_type']}", row["snapshot_date"]]
            for part in ("covid_occupied", "non_covid_occupied", "unoccupied")
        )
        assert int(row["covid_occupied_beds"]) == covid
        assert int(row["occupied_beds"]) == covid + other
        assert int(row["open_beds"]) == covid + other + empty
        assert float(row["occupancy_rate"]) == pytest.approx((covid + other) / (covid + other + empty))


def test_sheets_differ_as_the_real_ones_do(england: Path) -> None:
    """13, 13, 15 sheets; more rows where missing is filled with zero; a row lost; a value restated."""
    books = [_sheets(path.read_bytes()) for path in _files(england, "covid_hospital_activity")]
    assert [len(book) for book in books] == [13, 13, 15]
    codes = [{name: {row[2] for row in grid[24:] if row[2]} for name, grid in book.items()} for book in books]
    assert codes[0]["Care home ads and diags"] - codes[1]["Care home ads and diags"] == {"ZS009"}
    assert codes[0]["Hosp ads & diag"] < codes[0]["New hosp cases"]
    assert codes[0]["Adult CC Beds Unoccupied"] < codes[0]["Hosp ads & diag"]
    empty = Counter(
        name for name, grid in books[0].items() for row in grid[24:] if row[2] for cell in row[4:] if cell == ""
    )
    assert empty["Hosp ads & diag"] and not empty["New hosp cases"]
    assert empty["Adult G&A Beds Occupied COVID"] > empty["Adult G&A Bed Occupied NonCOVID"]
    restated = [
        name
        for name, grid in books[0].items()
        for old, new in zip(grid[24:], books[1][name][24:], strict=False)
        if old[2] == new[2] and any(a != b for a, b in zip(old[4:], new[4:], strict=False))
    ]
    assert "Hosp ads & diag" in restated


def test_every_fault_is_written(england: Path) -> None:
    assert {path.name for path in (england / "faults").iterdir()} == {fault.file_name for fault in FAULTS}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.rule)
def test_a_fault_breaks_its_own_rule_only(england: Path, fault: Fault) -> None:
    """The base exists, the bytes differ, and of the rules checked here no other is broken."""
    good = (england / fault.feed / fault.base).read_bytes()
    bad = (england / "faults" / fault.file_name).read_bytes()
    assert bad != good
    assert fault.rule.startswith(f"{fault.feed}.")
    rule = fault.rule.removeprefix(f"{fault.feed}.")
    assert fault.verdict == ("accepted" if rule in WARNINGS else "quarantined")
    if fault.feed in FIGURES:
        assert _broken(bad, fault.feed) == (set() if rule in WARNINGS else {rule})
    elif rule == "list_complete":
        assert len(_lines(bad)) <= 0.55 * len(_lines(good))
    else:
        assert abs(len(_lines(bad)) - len(_lines(good))) <= 1


WARNINGS = {"providers_complete", "provider_set_known", "no_implausible_jump", "list_complete", "icb_known"}


def _broken(content: bytes, feed: str) -> set[str]:
    """The rules that a file breaks, judged here without the generator or the pipeline."""
    found: set[str] = set()
    if feed == "ae_monthly":
        header, *rows = _csv(content)
        *providers, total = rows
        figures = [[float(str(cell)) for cell in row[4:]] for row in providers]
        totals = [([float(str(cell)) for cell in total[4:]], figures)]
        codes = [row[1] for row in providers]
        if any(_month(str(row[0])) > "2024-07-01" for row in providers):
            found.add("period_inside_publication")
        for row in figures:
            if any(over > came for came, over in _breaches(header[4:], row)):
                found.add("over_four_hours_within_attendances")
        found |= _broken_table(codes, figures, totals)
        return found
    sheets = _sheets(content)
    parts: dict[str, dict[tuple[object, object], float]] = {}
    for name, grid in sheets.items():
        providers = [row for row in grid[24:] if row[2]]
        days, published = grid[14][4:], grid[6][1]
        if any(day > published for day in days):  # type: ignore[operator]
            found.add("period_inside_publication")
        figures = [[_number(cell) for cell in row[4:]] for row in providers]
        by_region = defaultdict(list)
        for row, values in zip(providers, figures, strict=True):
            by_region[row[1]].append(values)
        totals = [(row[4:], by_region[row[3]]) for row in grid[17:24]]
        totals.append((grid[15][4:], figures))
        found |= _broken_table([row[2] for row in providers], figures, totals)
        parts[name] = {
            (row[2], day): cell
            for row, values in zip(providers, figures, strict=True)
            for day, cell in zip(days, values, strict=True)
        }
    for kind in ("G&A", "CC"):
        whole = parts[f"Adult {kind} Beds Unoccupied"]
        part = parts.get(f"Adult {kind} Beds Unoccupied Non", {})
        if any(value > whole[key] for key, value in part.items()):
            found.add("non_covid_unoccupied_within_unoccupied")
    return found


def _broken_table(codes: list[object], figures: list[list[float]], totals: list[tuple]) -> set[str]:
    found = set()
    cells = [cell for row in figures for cell in row]
    if any(cell < 0 for cell in cells):
        found.add("counts_not_negative")
    if any(not cell.is_integer() for cell in cells):
        found.add("counts_whole")
    if len(codes) != len(set(codes)):
        found.add("one_row_per_provider")
    if any(list(total) != [sum(column) for column in zip(*rows, strict=True)] for total, rows in totals):
        found.add("rollup_equals_published_total")
    return found


def _breaches(header: list[object], row: list[float]) -> Iterator[tuple[float, float]]:
    """Attendances and those over four hours, by department and way of arriving."""
    came = [n for n, name in enumerate(header) if "A&E attendances" in str(name)]
    over = [n for n, name in enumerate(header) if "over 4hrs" in str(name)]
    for first, second in zip(came, over, strict=True):
        yield row[first], row[second]


def _ae_metric(header: str) -> str:
    """The metric that a column of any of the three layouts holds."""
    if header.startswith("Patients who"):
        return f"waits_dta_{'4_to_12' if '4-12' in header else 'over_12'}_hours__all__msitae"
    if header == "Other emergency admissions":
        return "other_emergency_admissions__all__msitae"
    department = next((f"type_{n}" for n in (1, 2) if header.endswith(f"Type {n}")), "other")
    if header.startswith("Emergency admissions"):
        return f"emergency_admissions_via_ae__{department}__msitae"
    measure = "over_four_hours" if "over 4hrs" in header else "attendances"
    return f"{measure}_{'booked' if 'Booked' in header else 'not_booked'}__{department}__msitae"


def _month(period: str) -> str:
    return str(dt.datetime.strptime(period.removeprefix("MSitAE-"), "%B-%Y").date())


def _number(cell: object) -> float:
    return float(cell) if cell != "" else 0.0  # type: ignore[arg-type]


def _csv(content: bytes) -> Grid:
    return [list(row) for row in csv.reader(io.StringIO(content.decode("utf-8"), newline=""))]


def _lines(content: bytes) -> list[bytes]:
    return content.splitlines()


def _sheets(content: bytes) -> dict[str, Grid]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    return {name: book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in book.sheet_names}


def _truth(england: Path, name: str) -> list[dict[str, str]]:
    with (england / "truth" / name).open(newline="") as file:
        return list(csv.DictReader(file))


def _files(england: Path, feed: str) -> list[Path]:
    return sorted((england / feed).iterdir())


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
