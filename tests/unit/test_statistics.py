"""Deaths, vaccinations, delayed transfers and the A&E series: their own declarations on small worksheets."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from pipelines.adapters import catalogue
from pipelines.domain.feeds import Reading
from pipelines.domain.gates import Batch, areas_within_nation, totals_to_date
from pipelines.domain.reading.cells import Sheet
from pipelines.domain.reading.sheets import figures_of
from pipelines.domain.refusals import Refused
from tests.support.drawn import sheet, told

KNOWN = catalogue.known()


def read(feed: str, *sheets: Sheet) -> Reading:
    return figures_of(list(sheets), catalogue.feed(feed), KNOWN, "file.xlsx")


def refusal(feed: str, *sheets: Sheet) -> str:
    with pytest.raises(Refused) as refused:
        read(feed, *sheets)
    return str(refused.value)


DEATHS = """
 | Period:    | All data up to 4pm 2 March 2020
 | Published: | 3 March 2020
 | NHS England Region | | Code | Name | Up to 01-Mar-20 | @2020-03-01 | @2020-03-02 | | Awaiting verification | | Total
 | -          | | -   | ENGLAND                        | 1 | 2 | 3 | | 1 | | 7
 |            | |     |                                |   |   |   | |   | | 0
 | South West | | RBA | SOMERSET NHS FOUNDATION TRUST  | 1 | 0 | 3 | | 0 | | 4
 | South West | | RBA | TAUNTON AND SOMERSET NHS TRUST | 0 | 2 | 0 | | 1 | | 3
"""


def test_deaths_have_days_and_what_stands_beside_them() -> None:
    """Deaths before the first day are dated to the day before it, running totals to the day of the data."""
    reading = read("covid_deaths", sheet(DEATHS.replace("RBA | SOMERSET", "RH5 | SOMERSET"), "Tab4 Deaths by trust"))
    assert [line for line in told(reading) if line.startswith("RBA")] == [
        "RBA deaths_before_march_2020__all 2020-02-29: 0",
        "RBA deaths__all 2020-03-01: 2",
        "RBA deaths__all 2020-03-02: 0",
        "RBA deaths_awaiting_verification__all 2020-03-02: 1",
        "RBA deaths_to_date__all 2020-03-02: 3",
    ]
    assert reading.published_on == dt.date(2020, 3, 3)


def test_a_trust_under_the_code_of_another_is_known_by_its_name() -> None:
    """September 2020: RH5 stands as RBA, beside the RBA that it absorbed. It is told."""
    reading = read("covid_deaths", sheet(DEATHS, "COVID19 total deaths by trust"))
    assert [line for line in told(reading) if "to_date" in line] == [
        "ENGLAND deaths_to_date__all 2020-03-02: 7",
        "RH5 deaths_to_date__all 2020-03-02: 4",
        "RBA deaths_to_date__all 2020-03-02: 3",
    ]
    [note] = reading.not_loaded
    assert note.startswith("sheet COVID19 total deaths by trust, row 6: code RBA read as RH5")


def test_cells_right_of_the_table_are_told_when_they_stand_alone() -> None:
    """A hand slipped in May 2020. In two rows, or inside the table, they would be a column that lost its header."""
    beside = DEATHS.replace("| 0 | | 4", "| 0 | | 4 | 99 | 100")
    reading = read("covid_deaths", sheet(beside, "Tab4 Deaths by trust"))
    assert "sheet Tab4 Deaths by trust, row 6: cells right of the table, no data" in reading.not_loaded
    both = beside.replace("| 1 | | 3", "| 1 | | 3 | 99 | 100")
    assert "row 6, column M: values under no header" in refusal("covid_deaths", sheet(both, "Tab4 Deaths by trust"))
    inside = DEATHS.replace("| 0 | 3 | | 0", "| 0 | 3 | 99 | 0")
    assert "row 6, column I: values under no header" in refusal("covid_deaths", sheet(inside, "Tab4 Deaths by trust"))


DOSES = """
 | Period:             | 8th December 2020 to 14th February 2021 | | | | | |
 | Published:          | 18th February 2021 | | | | | |
 | Region of Residence | {system} | 1st dose |     | | 2nd dose | | Cumulative Total Doses to Date
 |                     |          | Under 70 | 70+ | | 80+      | |
 | Total               |          | 10       | 20  | | 5        | | 36
 |                     |          |          |     | |          | |
 | {region}            | {name}   | 9        | 18  | | 5        | | 32
 | Other               |          | 1        | 2   | | 0        | | 3
 | Data quality notes: |          |          |     | |          | |
"""


@pytest.mark.parametrize(
    ("name", "system", "region", "place", "code"),
    [
        ("Vaccinations by Region & Age", "", "East Of England", "", "Y61"),
        (
            "Vaccinations by ICS STP & Age",
            "ICS/STP of Residence",
            "South East",
            "Sussex Health and Care Partnership",
            "QNX",
        ),
        (
            "Vaccinations by ICS STP & Age",
            "ICS/STP of Residence",
            "London",
            "East London Health and Care Partnership",
            "QMF",
        ),
    ],
)
def test_doses_are_figures_of_areas(name: str, system: str, region: str, place: str, code: str) -> None:
    """England, regions and systems are each figures of their own; people of no known place are in England alone."""
    reading = read("covid_vaccinations", sheet(DOSES.format(system=system, region=region, name=place), name))
    assert told(reading) == [
        f"{whose} {what} 2021-02-14: {amount}"
        for what, of_england, of_area in (
            ("first_doses__under_70", 10, 9),
            ("first_doses__70_and_over", 20, 18),
            ("second_doses__80_and_over", 5, 5),
            ("total_doses__all", 36, 32),
        )
        for whose, amount in (("E92000001", of_england), (code, of_area))
    ]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("80+ ", "81+ ", "age band '81+' is not in the registry"),
        ("80+ ", "All", "column 'All' is not declared and has values"),
        ("East Of England", "Elsewhere", "names no region"),
        ("8th December 2020 to 14th February 2021", "this year", "Period: not a period"),
    ],
)
def test_doses_that_cannot_be_placed_are_refused(old: str, new: str, says: str) -> None:
    drawn = DOSES.format(system="", region="East Of England", name="").replace(old, new)
    assert says in refusal("covid_vaccinations", sheet(drawn, "Vaccinations by Region & Age"))


DELAYS = """
 | Period:       | April 2019    |      |                      |              |           |       | |     |     |
 |               |               |      |                      | Delayed Days |           |       | | {again} | |
 | Region        | ONS Geography | Code | Name                 | Acute | Non-Acute | Total | | Acute | Non-Acute | Total
 | -             | -             | -    | England              | 45    | 15        | 60    | | 1.5   | 0.5       | 2
 | East Midlands | E06000015     | 507  | Derby UA             | 30    | 15        | 45    | | 1     | 0.5       | 1.5
 | -             | -             | 9901 | Resident in Scotland | 15    | 0         | 15    | | 0.5   | 0         | 0.5
 | Notes:        |               |      |                      |       |           |       | |       |           |
"""


@pytest.mark.parametrize("again", ["DTOC Beds", "Average Number of People Delayed per Day"])
def test_delays_are_of_the_authority_of_residence(again: str) -> None:
    """By ONS code, people who live elsewhere by the number they have here; a region of statistics is no NHS region."""
    reading = read("delayed_transfers", sheet(DELAYS.format(again=again), "LA - by Type of Care"))
    assert [line for line in told(reading) if "acute" not in line] == [
        "ENGLAND delayed_days__all 2019-04-01 to 2019-04-30: 60",
        "E06000015 delayed_days__all 2019-04-01 to 2019-04-30: 45",
        "9901 delayed_days__all 2019-04-01 to 2019-04-30: 15",
        "ENGLAND people_delayed__all 2019-04-01 to 2019-04-30: 2",
        "E06000015 people_delayed__all 2019-04-01 to 2019-04-30: 1.5",
        "9901 people_delayed__all 2019-04-01 to 2019-04-30: 0.5",
    ]
    assert reading.rows["region_code"].null_count() == reading.rows.height


def test_another_era_is_named() -> None:
    older = DELAYS.format(again="DTOC Beds").replace("Region", "SHA")
    assert "to March 2013, by strategic health authority" in refusal(
        "delayed_transfers", sheet(older, "LA - by reason")
    )


SERIES_LABELS = (
    "Type 1 Departments - Major A&E",
    "Type 2 Departments - Single Specialty",
    "Type 3 Departments - Other A&E/Minor Injury Unit",
    "Total Attendances",
    "Emergency Admissions via Type 1 A&E",
    "Emergency Admissions via Type 2 A&E",
    "Emergency Admissions via Type 3 and 4 A&E",
    "Total Emergency Admissions via A&E",
    "Other Emergency Admissions (i.e not via A&E)",
    "Total Emergency Admissions",
    "Number of patients spending >4 hours from decision to admit to admission",
    "Number of patients spending >12 hours from decision to admit to admission",
)
SERIES = f"""
 | Published:  | 14th November 2024
 |             | A&E attendances | | | | Emergency Admissions
 | Period      | {" | ".join(SERIES_LABELS)} | | Operational standard (Performance)
 | @2010-11-01 | 1.5 | 2 | 3 | 6.5 | 4 | 5 | 6 | 15 | 7 | 22 | 8 | 1 | | 0.95
"""


def test_the_series_is_england_by_month() -> None:
    """Weeks that were shared out among months have fractions."""
    reading = read("ae_timeseries", sheet(SERIES, "Activity"))
    assert [line.removeprefix("E92000001 ").replace(" 2010-11-01 to 2010-11-30", "") for line in told(reading)] == [
        "attendances__type_1: 1.5",
        "attendances__type_2: 2",
        "attendances__other: 3",
        "attendances__all: 6.5",
        "emergency_admissions_via_ae__type_1: 4",
        "emergency_admissions_via_ae__type_2: 5",
        "emergency_admissions_via_ae__other: 6",
        "emergency_admissions_via_ae__all: 15",
        "other_emergency_admissions__all: 7",
        "waits_dta_over_4_hours__all: 8",
        "waits_dta_over_12_hours__all: 1",
    ]


def test_running_totals_and_areas() -> None:
    """Days make the total of each trust; bands may lack people of unknown age; areas never exceed England."""
    deaths = Batch(read("covid_deaths", sheet(DEATHS, "Tab4 Deaths by trust")).rows, dt.date.max)
    parts = ["deaths__all", "deaths_before_march_2020__all", "deaths_awaiting_verification__all"]
    of_days = {"whole": "deaths_to_date__all__cpns", "parts": parts}
    assert totals_to_date(deaths, of_days)["difference"].to_list() == [0, 0, 0]
    drawn = sheet(DOSES.format(system="", region="London", name=""), "Vaccinations by Region & Age")
    doses = Batch(read("covid_vaccinations", drawn).rows, dt.date.max)
    of_bands = {"whole": "total_doses__all__nims", "parts": ["first_doses__", "second_doses__"]}
    assert totals_to_date(doses, of_bands)["share"].to_list() == [35 / 36, 1]
    assert areas_within_nation(doses, {})["over"].to_list() == [-1, -2, 0, -4]
    more = doses.rows.with_columns(value=pl.when(org_code="Y56").then(pl.col("value") + 1).otherwise("value"))
    assert areas_within_nation(Batch(more, dt.date.max), {})["over"].max() == 1
