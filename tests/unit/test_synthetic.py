"""The synthetic England: repeatable, true to itself, and broken only where a fault says so."""

from __future__ import annotations

import csv
import datetime as dt
import io
import os
import re
import subprocess
import sys
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from python_calamine import CalamineWorkbook

from data.synthetic import Fault, load_faults, write
from data.synthetic.samples import person_samples
from tests.support import supplied

ROOT = Path(__file__).resolve().parents[2]
FIGURES = ("ae_monthly", "covid_hospital_activity")
# Faults of person-level feeds are made from small samples, which are no part of the synthetic England.
RECORDS = {(sample.feed, sample.name): sample.render() for sample in person_samples()}
PERSONS = {feed for feed, _ in RECORDS}
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
def england() -> Path:
    """The folder that seed 2020 writes."""
    return supplied.england()


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
    """Created on the day of publication at half past nine; the archive's own dates are fixed."""
    books = sorted(england.glob("[!f]*/*.xlsx"))
    assert len({path.parent.name for path in books}) == 8
    for path in books:
        with zipfile.ZipFile(path) as archive:
            assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
            assert archive.read("docProps/core.xml").count(b"T09:30:00Z<") == 2
    for path in _files(england, "covid_hospital_activity"):
        published = dt.datetime.strptime(path.stem[-6:], "%y%m%d").date()
        with zipfile.ZipFile(path) as archive:
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
    rows = [
        row
        for row in _truth(england, "occupancy_daily.csv")
        if (row["organisation_view"], row["org_level"], row["basis"]) == ("as_reported", "nation", "covid_sitrep")
        and row["open_beds"]
    ]
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


def test_the_winter_workbooks_say_what_is_true(england: Path) -> None:
    """Every cell under a day is the true figure as known then; general and acute beds not returned are printed as 0."""
    truth = _as_known(england, "uec_sitrep")
    compared = zeros = 0
    for path, published in zip(_files(england, "uec_sitrep"), ("2019-12-19", "2020-01-09"), strict=True):
        for name, grid in _sheets(path.read_bytes()).items():
            metrics = WINTER[name]
            days = grid[12] if len(metrics) > 1 else grid[14]
            for column, day in enumerate(days[5:], start=5):
                metric_id = metrics.get(str(grid[14][column])) if len(metrics) > 1 else metrics[""]
                if metric_id is None or not day:
                    continue
                first = "2019-12-24" if str(day) == "24 - 26 December 2019" else str(day)
                england_row = grid[15][column]
                rows = [row for row in grid[17:] if row[3]]
                assert england_row == sum(_number(row[column]) for row in rows)
                for row in rows:
                    true = truth[metric_id, first, str(row[3]), published]
                    if true is None and row[column] == 0:
                        assert (row[3], metric_id.split("__")[1]) == ("ZB6", "general_acute")
                        zeros += 1
                    else:
                        assert (None if row[column] == "" else row[column]) == true, (path.name, name, row[3], day)
                    compared += 1
    assert compared > 30_000 and zeros == 2 * 6 * 4


def test_quarters_say_what_is_true(england: Path) -> None:
    """KH03: printed values are the true ones as known then; the revised quarter is not the first."""
    truth = _as_known(england, "kh03")
    printed: dict[str, dict[tuple[str, str], object]] = {}
    for path in _files(england, "kh03_beds")[:-1]:
        sheets = _sheets(path.read_bytes())
        grid = sheets["NHS Trust by Sector"]
        said = {row[1]: row[2] for row in grid[:12]}
        published = dt.datetime.strptime(ORDINAL.sub(r"\1", str(said["Revised:"] or said["Published:"])), "%d %B %Y")
        first = {"December": "2019-10-01", "March": "2020-01-01", "June": "2020-04-01"}[str(grid[16 + 1][2])]
        cells = printed.setdefault(str(published.date()), {})
        for row in grid[17:]:
            for column, (measure, sector) in {
                6 + number: ("available_beds", sector) for number, sector in enumerate(SECTORS)
            }.items():
                metric_id = f"{measure}__{sector}__kh03"
                assert row[column] == truth[metric_id, first, str(row[4]), str(published.date())]
                cells[str(row[4]), sector] = row[column]
        regions = sheets["Region by Sector"]
        assert grid[15][6:11] == regions[15][5:10]
        assert sum(_number(row[5]) for row in regions[17:24]) == pytest.approx(_number(grid[15][6]))
    first_issue, revised = printed["2020-01-20"], printed["2020-02-14"]
    assert {key for key in first_issue if first_issue[key] != revised[key]} == {
        ("ZC5", "general_acute"),
        ("ZC5", "total"),
        ("ZD6", "mental_illness"),
        ("ZD6", "total"),
    }
    assert {code for code, _ in revised} - {code for code, _ in first_issue} == {"ZD5"}


def test_deaths_add_up_and_change_their_codes(england: Path) -> None:
    """Days and what awaits verification make the total; the second issue knows the merger, and not the absorption."""
    late, early = (_sheets(path.read_bytes()) for path in _files(england, "covid_deaths"))
    old, new = early["COVID19 total deaths by trust"], late["Tab4 Deaths by trust"]
    codes = []
    for grid in (old, new):
        rows = [row for row in grid[18:] if row[3]]
        codes.append({row[3] for row in rows})
        for row in rows:
            assert row[-1] == sum(_number(cell) for cell in row[5:-1])
        assert grid[16][-1] == sum(_number(row[-1]) for row in rows)
    assert codes[0] - codes[1] == {"ZF0", "ZF1"} and codes[1] - codes[0] == {"ZF2"}
    assert {"ZF3", "ZF4"} <= codes[0] & codes[1]


def test_totals_are_equal_in_every_view_of_the_truth(england: Path) -> None:
    """England is the same in the three views, and the regions make it: no organisation is lost or counted twice."""
    compared = 0
    for name, measures in COUNTS.items():
        told: dict[tuple[str, ...], dict[str, list[float]]] = defaultdict(dict)
        for row in _truth(england, f"{name}.csv"):
            if row["org_level"] not in ("nation", "region"):
                continue
            figures = [float(row[measure] or 0) for measure in measures]
            view = row["organisation_view"]
            key = tuple(row[column] for column in list(row)[1:] if column in KEYS)
            whole = told[key].setdefault(f"{view} {row['org_level']}", [0.0] * len(measures))
            told[key][f"{view} {row['org_level']}"] = [a + b for a, b in zip(whole, figures, strict=True)]
        for key, by_view in told.items():
            assert len(by_view) == 6
            for figures in by_view.values():
                assert figures == pytest.approx(by_view["as_reported nation"]), (name, key)
            compared += 1
    assert compared > 500


def test_events_show_in_the_truth_of_the_views(england: Path) -> None:
    """A merger sums its predecessors, a site goes with its own figures, what cannot be split says so."""
    deaths = _by_view(england, "covid_deaths_daily", "date")
    on = "2020-04-05"
    merged = float(deaths["as_reported", "ZF3", on]["deaths"]) + float(deaths["as_reported", "ZF4", on]["deaths"])
    assert float(deaths["as_current", "ZF4", on]["deaths"]) == merged > 0
    assert ("as_current", "ZF3", on) not in deaths and ("as_at_date", "ZF3", on) not in deaths
    before = ("as_at_date", "ZF4", "2020-03-20")
    assert deaths[before]["deaths"] == deaths["as_reported", *before[1:]]["deaths"]
    assert deaths["as_at_date", "ZF2", "2020-03-31"]["status"] == "not_apportionable"
    assert deaths["as_current", "ZF2", "2020-03-31"]["status"] == "reported"
    assert deaths["as_current", "ZF8", on]["status"] == "not_apportionable"
    admissions = _by_view(england, "covid_admissions_daily", "date")
    measure = "admissions_and_diagnoses"
    own = float(admissions["as_reported", "ZF6", "2020-11-20"][measure])
    assert float(admissions["as_current", "ZF6", "2020-11-20"][measure]) > own
    assert admissions["as_current", "ZF6", "2020-12-05"] == {
        **admissions["as_reported", "ZF6", "2020-12-05"],
        "organisation_view": "as_current",
    }
    assert (
        admissions["as_at_date", "ZG2", "2020-11-30"][measure]
        == admissions["as_reported", "ZG3", "2020-11-30"][measure]
    )


def test_one_trust_returns_too_few_beds(england: Path) -> None:
    """Of all trusts the planted one lies furthest below what KH03 leads to expect, by 5 %."""
    [planted] = [row for row in _truth(england, "planted.csv") if row["what"] == "under_report"]
    daily: dict[str, list[float]] = defaultdict(list)
    quarterly = {}
    for row in _truth(england, "observation.csv"):
        if row["metric_id"] == "open_beds__general_acute__uec_sitrep" and not row["known_to"] and row["value"]:
            daily[row["org_code"]].append(float(row["value"]))
        if (row["metric_id"], row["period_start"]) == ("available_beds__general_acute__kh03", "2019-10-01"):
            quarterly[row["org_code"]] = float(row["value"])
    ratios = sorted((sum(days) / len(days) / quarterly[code], code) for code, days in daily.items())
    assert ratios[0][1] == planted["org_code"] and ratios[0][0] == pytest.approx(1 - float(planted["size"]), abs=0.01)
    assert all(0.985 < ratio < 1.015 for ratio, _ in ratios[1:])


def test_every_fault_is_written(england: Path) -> None:
    assert {path.name for path in (england / "faults").iterdir()} == {fault.file_name for fault in FAULTS}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.rule)
def test_a_fault_breaks_its_own_rule_only(england: Path, fault: Fault) -> None:
    """The base exists, the bytes differ, and of the rules checked here no other is broken."""
    good = (
        RECORDS[fault.feed, fault.base] if fault.feed in PERSONS else (england / fault.feed / fault.base).read_bytes()
    )
    bad = (england / "faults" / fault.file_name).read_bytes()
    assert bad != good
    suite = yaml.safe_load((ROOT / "expectations" / "landing" / f"{fault.feed}.yaml").read_text(encoding="utf-8"))
    [severity] = [rule["severity"] for rule in suite["rules"] if rule["id"] == fault.rule]
    assert fault.verdict == ("accepted" if severity == "warn" else "quarantined")
    rule = fault.rule.removeprefix(f"{fault.feed}.")
    if fault.feed in FIGURES:
        assert _broken(bad, fault.feed) == (set() if severity == "warn" else {rule})
    elif rule == "list_complete":
        assert len(_lines(bad)) < len(_lines(good))


SECTORS = ("total", "general_acute", "learning_disabilities", "maternity", "mental_illness")
ORDINAL = re.compile(r"([0-9]+)(?:st|nd|rd|th)")
# Per sheet of the winter workbook: the metric by the label of its column.
WINTER = {
    "A&E Closures": {"": "closures__all__uec_sitrep"},
    "A&E Diverts": {"": "diverts__all__uec_sitrep"},
    "G&A beds": {
        "Core Beds Open": "core_beds__general_acute__uec_sitrep",
        "Escalation Beds Open": "escalation_beds__general_acute__uec_sitrep",
        "Total Beds Open": "open_beds__general_acute__uec_sitrep",
        "Total beds occ'd": "occupied_beds__general_acute__uec_sitrep",
    },
    "Beds Occ by long stay patients": {
        f"> {days} days": f"patients_over_{days}_days__all__uec_sitrep" for days in (7, 14, 21)
    },
    "D&V, Norovirus": {
        "Beds closed": "beds_closed_norovirus__all__uec_sitrep",
        "Beds closed unocc": "beds_closed_norovirus_unoccupied__all__uec_sitrep",
    },
    "Adult critical care": {
        "CC Adult Open": "open_beds__adult_critical_care__uec_sitrep",
        "CC Adult Occ": "occupied_beds__adult_critical_care__uec_sitrep",
    },
    "Paediatric intensive care": {
        "Paed Int Care Open": "open_beds__paediatric_intensive_care__uec_sitrep",
        "Paed Int Care Occ": "occupied_beds__paediatric_intensive_care__uec_sitrep",
    },
    "Neonatal intensive care ": {
        "Neo Int Care Open": "open_beds__neonatal_critical_care__uec_sitrep",
        "Neo Int Care Occ": "occupied_beds__neonatal_critical_care__uec_sitrep",
    },
    "Ambulance Arrivals and Delays": {
        "Arriving by ambulance": "ambulance_arrivals__all__uec_sitrep",
        "Delay 30-60 mins": "handovers_30_to_60_minutes__all__uec_sitrep",
        "Delay >60 mins": "handovers_over_60_minutes__all__uec_sitrep",
    },
}
# What adds up over organisations, by truth of a mart.
COUNTS = {
    "ae_performance_monthly": ("attendances", "over_four_hours", "four_hour_attendances"),
    "occupancy_daily": ("open_beds", "occupied_beds", "covid_occupied_beds"),
    "occupancy_quarterly": ("available_beds", "occupied_beds"),
    "long_stay_daily": ("patients_over_7_days", "patients_over_21_days"),
    "covid_admissions_daily": ("admissions_and_diagnoses", "community_admissions_lagged"),
    "ae_pressure_daily": ("ambulance_arrivals", "closures"),
    "covid_deaths_daily": ("deaths",),
}
KEYS = ("month", "date", "snapshot_date", "quarter_start", "department_type", "bed_type", "sector", "basis")


def _as_known(england: Path, basis: str) -> dict[tuple[str, str, str, str], float | None]:
    """True value by metric, first day, organisation and the publication date on which it was known."""
    published = sorted(
        {row["known_from"] for row in _truth(england, "observation.csv") if row["metric_id"].endswith(f"__{basis}")}
    )
    known = {}
    for row in _truth(england, "observation.csv"):
        if row["metric_id"].endswith(f"__{basis}"):
            for on in published:
                if row["known_from"] <= on < (row["known_to"] or "9999"):
                    value = float(row["value"]) if row["value"] else None
                    known[row["metric_id"], row["period_start"], row["org_code"], on] = value
    return known


def _by_view(england: Path, name: str, period: str) -> dict[tuple[str, str, str], dict[str, str]]:
    return {(row["organisation_view"], row["org_code"], row[period]): row for row in _truth(england, f"{name}.csv")}


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
