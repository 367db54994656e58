"""Real winter, KH03 and critical care workbooks: reader and gate against the files, and against third parties.

What is compared is counted and printed (`pytest -rP`); a count that falls short is named row by row.
"""

from __future__ import annotations

import csv
import datetime as dt
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pyreadr
import pytest
import python_calamine

from pipelines.adapters import catalogue
from pipelines.adapters.expectations import judge
from pipelines.domain.feeds import Reading
from pipelines.domain.gates import VIEWS, Batch, published_totals
from pipelines.domain.reading.workbook import read_workbook
from pipelines.domain.refusals import Refused
from tests.support.workbooks import Workbook

WINTER = "uec_winter_sitrep/winter_sitrep_daily_ts.xlsx"
KH03 = "kh03_beds_overnight"
Q1_REVISED = f"{KH03}/Beds-Open-Overnight-Web_File-Q1-2020-21-Final-1.xlsx"
SERIES = f"{KH03}/Avg bed occupancy.xls"
CENSUS = "critical_care_msitrep/MSitRep-January-2020-LGBH3.xls"
FILES = {
    "uec_sitrep": [WINTER],
    "kh03_beds": [
        f"{KH03}/1920-Q4-Beds-Open-Overnight-Web_File-Final-DE5WC.xlsx",
        f"{KH03}/Beds-Open-Overnight-Web_File-Final-Q3-2019-20-kg8gu.xlsx",
        f"{KH03}/Beds-Open-Overnight-Web_File-Q3-2020-21-Final-1.xlsx",
        Q1_REVISED,
        SERIES,
    ],
    "critical_care_msitrep": [CENSUS],
}
EVERY_FILE = [(feed, name) for feed, names in FILES.items() for name in names]
TOTALS = {"uec_sitrep": 1_820, "kh03_beds": 320, "critical_care_msitrep": 9}
# Adding fractions in another order moves the last digits.
NOISE = 1e-6

FIRST_ROW, FIRST_DAY = 18, 5
LABELS = {
    "Core Beds Open": "core_beds__general_acute",
    "Escalation Beds Open": "escalation_beds__general_acute",
    "Total Beds Open": "open_beds__general_acute",
    "Total beds occ'd": "occupied_beds__general_acute",
    "> 7 days": "patients_over_7_days__all",
    "> 14 days": "patients_over_14_days__all",
    "> 21 days": "patients_over_21_days__all",
    "Beds closed": "beds_closed_norovirus__all",
    "Beds closed unocc": "beds_closed_norovirus_unoccupied__all",
    "CC Adult Open": "open_beds__adult_critical_care",
    "CC Adult Occ": "occupied_beds__adult_critical_care",
    "Paed Int Care Open": "open_beds__paediatric_intensive_care",
    "Paed Int Care Occ": "occupied_beds__paediatric_intensive_care",
    "Neo Int Care Open": "open_beds__neonatal_critical_care",
    "Neo Int Care Occ": "occupied_beds__neonatal_critical_care",
    "Arriving by ambulance": "ambulance_arrivals__all",
    "Delay 30-60 mins": "handovers_30_to_60_minutes__all",
    "Delay >60 mins": "handovers_over_60_minutes__all",
}
FLAT = {"A&E Closures": "closures__all", "A&E Diverts": "diverts__all"}


@pytest.fixture(scope="module")
def reading(feeds_dir: Path) -> Any:
    """What the feed's reader makes of a real file, read once."""

    @cache
    def read(feed: str, name: str) -> Reading:
        return read_as(feed, (feeds_dir / name).read_bytes(), Path(name).name)

    return read


def read_as(feed: str, content: bytes, name: str) -> Reading:
    declared = catalogue.feed(feed)
    return catalogue.reader(declared)(content, declared, catalogue.known(), name)


def equal(what: str, pairs: list[tuple[Any, Any, Any]], exactly: int) -> None:
    """Print how many were compared and fail with the first that differ; `pairs` are (key, ours, theirs)."""
    differing = [pair for pair in pairs if pair[1] != pair[2]]
    print(f"{what}: {len(pairs):,} compared, {len(pairs) - len(differing):,} equal")
    assert not differing, differing[:10]
    assert len(pairs) == exactly


@pytest.mark.parametrize(("feed", "name"), EVERY_FILE, ids=[name for _, name in EVERY_FILE])
def test_a_real_file_keeps_every_rule_that_would_refuse_it(reading: Any, feed: str, name: str) -> None:
    """Of the warnings, one is broken: trusts with more stays over 21 days than over 14."""
    read = reading(feed, name)
    batch = Batch(read.rows, read.published_on)
    outcomes = judge(catalogue.suite(feed), lambda rule: VIEWS[rule.view](batch, rule.options))
    broken = {outcome.rule.id: outcome.broken for outcome in outcomes if not outcome.passed}
    assert broken == ({"uec_sitrep.longer_stays_within_shorter": 150} if feed == "uec_sitrep" else {})


@pytest.mark.parametrize("feed", FILES)
def test_every_published_total_equals_our_roll_up(reading: Any, feed: str) -> None:
    pairs = []
    for name in FILES[feed]:
        rows = published_totals(Batch(reading(feed, name).rows, dt.date.max), {})
        for row in rows.iter_rows(named=True):
            key = (name, row["level"], row["region_code"], row["metric_id"], row["period_start"])
            pairs.append((key, abs(row["difference"]) < NOISE and row["value"] is not None, True))
    equal(f"{feed} published totals", pairs, TOTALS[feed])


@pytest.mark.parametrize(
    ("feed", "name", "published", "start", "end"),
    [
        ("uec_sitrep", WINTER, "2020-03-05", "2019-12-02", "2020-03-01"),
        ("kh03_beds", Q1_REVISED, "2021-11-18", "2020-04-01", "2020-06-30"),
        ("kh03_beds", FILES["kh03_beds"][1], "2020-02-27", "2019-10-01", "2019-12-31"),
        ("kh03_beds", SERIES, "2020-08-20", "2010-04-01", "2020-06-30"),
        ("critical_care_msitrep", CENSUS, "2020-03-12", "2020-01-01", "2020-01-31"),
    ],
)
def test_when_it_was_published_and_what_it_is_about(
    reading: Any, feed: str, name: str, published: str, start: str, end: str
) -> None:
    read = reading(feed, name)
    assert [str(day) for day in (read.published_on, read.period_start, read.period_end)] == [published, start, end]


def test_the_winter_workbook_cell_by_cell(reading: Any, feeds_dir: Path) -> None:
    """Every cell at the place that we say it has; the zeros of trusts that sent nothing are no zeros."""
    rows = reading("uec_sitrep", WINTER).rows
    ours = {
        (sheet, line, column): (metric_id, day, value, reason)
        for sheet, line, column, metric_id, day, value, reason in rows.select(
            "source_sheet", "source_row", "source_column", "metric_id", "period_start", "value", "status_reason"
        ).iter_rows()
    }
    pairs, turned = [], 0
    book = python_calamine.CalamineWorkbook.from_path(str(feeds_dir / WINTER))
    for name in book.sheet_names:
        grid = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
        for line in [16, *range(FIRST_ROW, FIRST_ROW + 132)]:
            for index in range(FIRST_DAY, len(grid[14])):
                label = FLAT.get(name) or LABELS.get(str(grid[14][index]).strip())
                day = grid[14][index] if name in FLAT else grid[12][index]
                if label and day:
                    metric_id, found, value, reason = ours.pop((name, line, _letter(index)))
                    theirs = grid[line - 1][index]
                    if reason == "zero_for_missing":
                        turned += 1
                        assert theirs == 0 or "general_acute" in metric_id
                        value = theirs
                    pairs.append(
                        ((name, line, index), (metric_id, found, value), (f"{label}__uec_sitrep", day, theirs))
                    )
    equal("cells of the winter workbook", pairs, 242_060)
    assert not ours
    assert turned == 210


def _letter(index: int) -> str:
    return chr(65 + index) if index < 26 else chr(64 + index // 26) + chr(65 + index % 26)


THIRD_PARTY = {
    "G&A Beds Open": ("open_beds__general_acute", 0),
    "G&A beds occ'd": ("occupied_beds__general_acute", 1),  # a trust with 742 beds open and none occupied
    "Delays30": ("handovers_30_to_60_minutes__all", 0),
    "Delays60": ("handovers_over_60_minutes__all", 0),
    "Closures": ("closures__all", 0),
    "Diverts": ("diverts__all", 0),
    "No. beds closed due to norovirus etc.": ("beds_closed_norovirus__all", 0),
    "No. beds occupied by long-stay patients (> 21 days)": (
        "patients_over_21_days__all",
        5,
    ),  # on days without a return
}


def test_a_third_partys_parse_of_the_winter_agrees(reading: Any, feeds_dir: Path) -> None:
    """12,086 trust-days of general and acute beds open are equal; the other 17 are missing in both."""
    [frame] = pyreadr.read_r(str(feeds_dir / "uec_winter_sitrep/sitrep1920.rda")).values()
    rows = reading("uec_sitrep", WINTER).rows
    ours = {
        (metric_id.removesuffix("__uec_sitrep"), code or "-", day): value
        for metric_id, code, day, value in rows.select("metric_id", "org_code", "period_start", "value").iter_rows()
    }
    for column, (metric, zeros) in THIRD_PARTY.items():
        pairs = [
            (
                (code, on.date()),
                ours[metric, code, on.date()],
                None if value is None or value != value else float(value),
            )
            for code, on, value in frame[["Code", "Date", column]].itertuples(index=False)
        ]
        only_theirs = [pair for pair in pairs if pair[1] is None and pair[2] == 0]
        assert len(only_theirs) == zeros
        equal(f"third party, {column}", [pair for pair in pairs if pair not in only_theirs], 12_103 - zeros)
    missing = [key for key, value in ours.items() if key[0] == "open_beds__general_acute" and value is None]
    assert len(missing) == 17
    assert {code for _, code, _ in missing} == {"RA2", "RQM", "RDD", "RFF", "RJN", "RA7"}


def test_a_third_partys_flattening_of_critical_care_agrees(reading: Any, feeds_dir: Path) -> None:
    """One header row, the day as a spreadsheet's serial number in each name; 0 there may be missing here."""
    book = python_calamine.CalamineWorkbook.from_path(
        str(feeds_dir / "uec_winter_sitrep/daily_cc_adult_bed_occupancy.xlsx")
    )
    header, *lines = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    ours = {
        (metric_id, code or "-", day): value
        for metric_id, code, day, value in reading("uec_sitrep", WINTER)
        .rows.filter(pl.col("metric_id").str.contains("adult_critical_care"))
        .select("metric_id", "org_code", "period_start", "value")
        .iter_rows()
    }
    states = {"CC Adult Open": "open_beds", "CC Adult Occ": "occupied_beds"}
    pairs = []
    for index, name in enumerate(header):
        label, _, serial = str(name).partition("_")
        if label in states:
            day = dt.date(1899, 12, 30) + dt.timedelta(days=int(serial))
            metric_id = f"{states[label]}__adult_critical_care__uec_sitrep"
            pairs += [((metric_id, line[1], day), ours[metric_id, line[1], day], line[index]) for line in lines]
    missing_here = [pair for pair in pairs if pair[1] is None and pair[2] == 0]
    assert len(missing_here) == 15  # on days without a return
    equal("third party, adult critical care flattened", [pair for pair in pairs if pair not in missing_here], 24_191)


def test_a_third_partys_history_of_critical_care_agrees(reading: Any, feeds_dir: Path) -> None:
    rows = reading("critical_care_msitrep", CENSUS).rows
    ours = {(code, metric): value for code, metric, value in rows.select("org_code", "metric_id", "value").iter_rows()}
    columns = {
        f"number_of_{name}_{state}": f"{state}_beds__{bed_type}__msitrep"
        for name, bed_type in (
            ("adult_critical_care_beds", "adult_critical_care"),
            ("paediatric_intensive_care_beds", "paediatric_intensive_care"),
            ("neonatal_critical_care_cots_or_beds", "neonatal_critical_care"),
        )
        for state in ("open", "occupied")
    }
    columns["number_of_non_medical_critical_care_transfers"] = "non_medical_critical_care_transfers__all__msitrep"
    with (feeds_dir / "critical_care_msitrep/critical_care_beds_2002_20_clean.csv").open(newline="") as file:
        theirs = [row for row in csv.DictReader(file) if row["date"] == "2020-01-01"]
    pairs = [
        (
            (row["org_code"], column),
            ours[None if row["org_code"] == "NA" else row["org_code"], metric],
            float(row[column]),
        )
        for row in theirs
        for column, metric in columns.items()
    ]
    equal("third party, critical care in January 2020", pairs, 7 * 145)


SHARES = {
    WINTER: {
        name: [(first, first + 1, first + 2) for first in range(begin, end, step)]
        for name, begin, end, step in (
            ("G&A beds", 7, 460, 5),
            ("Adult critical care", 5, 278, 3),
            ("Paediatric intensive care", 5, 278, 3),
            ("Neonatal intensive care ", 5, 278, 3),
        )
    },
    **{name: {"NHS Trust by Sector": [(6 + n, 12 + n, 18 + n) for n in range(5)]} for name in FILES["kh03_beds"][:4]},
    SERIES: {"Open Overnight": [(4 + n, 10 + n, 16 + n) for n in range(5)]},
    CENSUS: {"Critical Care Beds": [(5 + n, 8 + n, 12 + n) for n in range(3)]},
}
PRINTED_SHARES = {"uec_sitrep": 36_309 + 12_103, "kh03_beds": 3_975 + 205, "critical_care_msitrep": 435}
# Two quarters of the series were revised and their shares were not.
NOT_REVISED = {dt.date(2017, 4, 1), dt.date(2017, 7, 1)}


@pytest.mark.parametrize("feed", FILES)
def test_printed_shares_are_those_of_our_figures(reading: Any, feeds_dir: Path, feed: str) -> None:
    """The publishers' own occupancy, which is not loaded, from the beds that we read at the same places."""
    pairs, not_revised = [], set()
    for name in FILES[feed]:
        ours = {
            (sheet, line, column): (value, day)
            for sheet, line, column, value, day in reading(feed, name)
            .rows.select("source_sheet", "source_row", "source_column", "value", "period_start")
            .iter_rows()
        }
        book = python_calamine.CalamineWorkbook.from_path(str(feeds_dir / name))
        for sheet, places in SHARES[name].items():
            for line, row in enumerate(book.get_sheet_by_name(sheet).to_python(skip_empty_area=False), start=1):
                for whole, part, share in places:
                    if (sheet, line, _letter(whole)) not in ours or row[share] == "":
                        continue
                    beds, day = ours[sheet, line, _letter(whole)]
                    used, _ = ours[sheet, line, _letter(part)]
                    printed = 0 if row[share] == "-" else row[share]
                    agree = abs((used or 0) / beds - printed) < NOISE if beds else printed == 0
                    if name == SERIES and not agree:
                        not_revised.add(day)
                    else:
                        pairs.append(((name, sheet, line, share), agree, True))
    assert not_revised == (NOT_REVISED if feed == "kh03_beds" else set())
    equal(f"{feed} printed shares", pairs, PRINTED_SHARES[feed] - 5 * len(not_revised))


def test_a_quarter_was_restated_between_two_workbooks(reading: Any) -> None:
    """England's beds available from April to June 2020, in the series of August 2020 and revised to November 2021."""
    series = reading("kh03_beds", SERIES).rows
    quarter = pl.col("period_start") == dt.date(2020, 4, 1)
    first = series.filter(quarter & (pl.col("metric_id") == "available_beds__total__kh03_series"))
    assert first.select("org_code", pl.col("value").round(2)).rows() == [("E92000001", 118_451.27)]
    trusts = reading("kh03_beds", Q1_REVISED).rows.filter(
        (pl.col("record") == "provider") & (pl.col("metric_id") == "available_beds__total__kh03")
    )
    assert round(trusts["value"].sum(), 2) == 118_473.43


def _says(feeds_dir: Path, old: str, new: str) -> bytes:
    """The revised workbook of a quarter with words changed wherever its sheets use them."""
    book = Workbook((feeds_dir / Q1_REVISED).read_bytes())
    strings = "xl/sharedStrings.xml"
    changed = book.parts[strings].replace(old.encode(), new.encode())
    assert changed != book.parts[strings]
    book.parts[strings] = changed
    return book.render()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("open overnight", "open day only", "neither title nor summary says 'open overnight'"),
        (">2020-21<", ">2009-10<", "to March 2010"),
        ("Region Code", "SHA Code", "to March 2013, by strategic health authority"),
        ("Learning Disabilities", "Learning disability", "column 'Learning disability' is not declared and has values"),
    ],
)
def test_another_publication_or_era_is_refused(feeds_dir: Path, old: str, new: str, says: str) -> None:
    with pytest.raises(Refused, match=says):
        read_as("kh03_beds", _says(feeds_dir, old, new), "workbook.xlsx")


def test_the_winter_with_adult_and_paediatric_beds_apart_is_refused_by_its_name(feeds_dir: Path) -> None:
    book = Workbook((feeds_dir / WINTER).read_bytes())
    book.parts["xl/workbook.xml"] = book.parts["xl/workbook.xml"].replace(b'"G&amp;A beds"', b'"Adult G&amp;A beds"')
    with pytest.raises(Refused, match="from winter 2021-22, with adult and paediatric general and acute beds apart"):
        read_as("uec_sitrep", book.render(), "winter.xlsx")


def test_a_workbook_of_the_old_format_keeps_empty_rows_and_columns(feeds_dir: Path) -> None:
    """Places are those that Excel shows: the first row and column are empty or hold something loose."""
    sheet = read_workbook((feeds_dir / CENSUS).read_bytes())[0]
    assert sheet.lines[0].cells[5] == 5
    assert (sheet.lines[14].number, sheet.lines[14].cells[0], sheet.lines[14].cells[1]) == (15, "", "Region")
