"""The clock of England in SQL: every hour around every change since 1916 is what the time zone database says."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import duckdb
import polars as pl
import pytest

from pipelines.adapters.persons.reading import setup
from pipelines.domain.persons import london

LONDON = ZoneInfo("Europe/London")
STATED = {None: "", 0: "+00:00", 1: "+01:00"}
DAY = dt.timedelta(days=1)


@pytest.fixture(scope="module")
def database() -> duckdb.DuckDBPyConnection:
    """A connection that knows the macros of the reading."""
    connection = duckdb.connect()
    for statement in setup():
        connection.execute(statement)
    return connection


def utc_of(database: duckdb.DuckDBPyConnection, times: list[tuple[dt.date, str, dt.datetime | None]]) -> list:
    """The UTC instants of local days and times; the third of each is the start of its record."""
    told = pl.DataFrame(times, schema={"d": pl.Date, "x": pl.String, "starts": pl.Datetime("us")}, orient="row")
    database.register("times", told.with_row_index("number"))
    return [
        instant
        for (instant,) in database.execute(
            "SELECT make_timestamp(utc_of(d, m, x, c, earliest) * 60000000) FROM (SELECT *, minute_of(x) AS m, "
            "clock_of(d) AS c, epoch_us(starts) // 60000000 AS earliest FROM times) ORDER BY number"
        ).fetchall()
    ]


def instants(day: dt.date, minute: int) -> list[dt.datetime]:
    """The instants at which the clocks show a local time, in order: none, one, or two."""
    local = dt.datetime.combine(day, dt.time()) + dt.timedelta(minutes=minute)
    found = {(local.replace(tzinfo=LONDON, fold=fold)).astimezone(dt.UTC) for fold in (0, 1)}
    return sorted(one.replace(tzinfo=None) for one in found if one.astimezone(LONDON).replace(tzinfo=None) == local)


def test_every_change_of_the_clocks(database: duckdb.DuckDBPyConnection) -> None:
    changes = [date for date, _ in london.changes() if date.year <= 2040]
    days = {day + shift * DAY for day in changes for shift in (-1, 0, 1)}
    days |= {dt.date(1902, 3, 4), dt.date(1915, 7, 1), dt.date(1941, 1, 1), dt.date(1943, 12, 24), dt.date(1970, 1, 1)}
    days |= {dt.date(2020, month, 28) for month in range(1, 13)}
    asked, expected = [], []
    for day in sorted(days):
        for minute in (0, 59, 60, 61, 90, 119, 120, 121, 150, 179, 180, 181, 240, 1439):
            shown = instants(day, minute)
            for ahead, suffix in STATED.items():
                asked.append((day, f"{minute // 60:02}:{minute % 60:02}{suffix}", None))
                if ahead is not None:
                    local = dt.datetime.combine(day, dt.time()) + dt.timedelta(minutes=minute)
                    shown_so = [one for one in shown if one == local - dt.timedelta(hours=ahead)]
                else:
                    shown_so = shown[:1]
                expected.append(shown_so[0] if shown_so else None)
    answers = utc_of(database, asked)
    wrong = [
        (*told[:2], answer, right)
        for told, answer, right in zip(asked, answers, expected, strict=True)
        if answer != right
    ]
    assert not wrong, wrong[:5]


def test_the_second_hour_is_meant_when_the_first_is_before_the_start(database: duckdb.DuckDBPyConnection) -> None:
    night = dt.date(2020, 10, 25)
    first, second = dt.datetime(2020, 10, 25, 0, 30), dt.datetime(2020, 10, 25, 1, 30)
    asked = {
        ("01:30", None): first,
        ("01:30", first): first,
        ("01:30", first + dt.timedelta(minutes=1)): second,
        ("01:30", dt.datetime(2020, 10, 25, 6)): second,
        ("01:30+01:00", dt.datetime(2020, 10, 25, 6)): first,
        ("01:30+00:00", None): second,
        ("01:30:59", first): first,
        ("02:30", dt.datetime(2020, 10, 25, 6)): dt.datetime(2020, 10, 25, 2, 30),
    }
    assert utc_of(database, [(night, text, start) for text, start in asked]) == list(asked.values())


@pytest.mark.parametrize(
    "text",
    ["24:00", "1:30", "01:60", "01:30:60", "01:30:5", "01.30", "01:30Z", "01:30+02:00", "01:30-00:00", "01:30+1:00",
     "0130", "01:30:00.5", "01:30 +00:00", "", "noon", "-1:30", "1e:30"],
)  # fmt: skip
def test_what_is_no_time(database: duckdb.DuckDBPyConnection, text: str) -> None:
    assert database.execute("SELECT minute_of(?)", [text]).fetchone() == (None,)
