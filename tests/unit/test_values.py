"""Single cells: what each rule makes of them, and what it refuses without ever repeating it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from pipelines.domain.reading import values
from pipelines.domain.reading.values import NotThis

REGIONS = {"MIDLANDS": "Y60", "LONDON": "Y56", "NORTH EAST AND YORKSHIRE": "Y63"}


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        (0, 0.0),
        ("0", 0.0),
        (None, None),
        ("", None),
        ("  ", None),
        ("-", None),
        (" - ", None),
        ("12", 12.0),
        (" 12 ", 12.0),
        ("\u00a012", 12.0),
        ("-4", -4.0),
        ("1,234", 1234.0),
        ("12,345,678", 12345678.0),
        ("007", 7.0),
        ("2.5", 2.5),
        (2.5, 2.5),
        ("1,234.5", 1234.5),
        ("999999999999", 999999999999.0),
    ],
)
def test_number(cell: Any, value: float | None) -> None:
    """Empty and a lone hyphen are missing, zero is zero, thousands may have commas."""
    assert values.number(cell) == value


@pytest.mark.parametrize(
    "cell",
    [
        "n/a",
        "*",
        "1e5",
        "1E400",
        "nan",
        "inf",
        "-inf",
        "0x1F",
        "1_000",
        "+5",
        "--5",
        "5-",
        "- 5",
        "1 000",
        "1,23",
        "12,3456",
        ",123",
        "1.",
        ".5",
        "1.2.3",
        "5%",
        "\u00a35",
        "(5)",
        "=1+1",
        "\uff11\uff12",
        "\u0661\u0662",
        "\u00b2",
        "9" * 13,
        "9" * 60,
        "1000000000000",
        True,
        False,
        float("nan"),
        float("inf"),
        1e12,
        -1e12,
        dt.date(2020, 4, 1),
        dt.datetime(2020, 4, 1),
        dt.time(8),
        dt.timedelta(hours=8),
    ],
)
def test_not_a_number(cell: Any) -> None:
    """What a person may read as a number and what only a program would: refused, and not repeated."""
    _refused(values.number, cell)


@pytest.mark.parametrize(
    ("cell", "formats", "day"),
    [
        (dt.date(2020, 12, 10), (), dt.date(2020, 12, 10)),
        (dt.datetime(2020, 12, 10, 8, 30), (), dt.date(2020, 12, 10)),
        (44175, (), dt.date(2020, 12, 10)),
        (44175.0, (), dt.date(2020, 12, 10)),
        (36526, (), dt.date(2000, 1, 1)),
        (73050, (), dt.date(2099, 12, 31)),
        ("2020-12-10", (), dt.date(2020, 12, 10)),
        ("10/12/2020", (), dt.date(2020, 12, 10)),
        ("10-Dec-20", (), dt.date(2020, 12, 10)),
        ("10-Dec-2020", (), dt.date(2020, 12, 10)),
        ("10DEC2020", (), dt.date(2020, 12, 10)),
        ("10th December 2020", (), dt.date(2020, 12, 10)),
        (" 1st  May 2020 ", (), dt.date(2020, 5, 1)),
        ("19301010", ("%Y%m%d",), dt.date(1930, 10, 10)),
        ("29/02/2020", (), dt.date(2020, 2, 29)),
        (None, (), None),
        ("", (), None),
        ("  ", ("%Y%m%d",), None),
    ],
)
def test_date(cell: Any, formats: tuple[str, ...], day: dt.date | None) -> None:
    """Real dates, Excel serials and the forms that publications use, day before month."""
    assert values.date(cell, formats) == day


@pytest.mark.parametrize(
    ("cell", "formats"),
    [
        ("29/02/2021", ()),
        ("12/25/2020", ()),
        ("20200431", ("%Y%m%d",)),
        ("2020-04-01", ("%Y%m%d",)),
        ("April 2020", ()),
        ("44175", ()),
        (36525, ()),
        (73051, ()),
        (44175.5, ()),
        (20201210, ()),
        (True, ()),
        (float("nan"), ()),
        (float("inf"), ()),
        (1e300, ()),
        ("0000-00-00", ()),
    ],
)
def test_not_a_date(cell: Any, formats: tuple[str, ...]) -> None:
    """No such day, another form than the column's, or a number that is no day of this century."""
    _refused(values.date, cell, formats)


@pytest.mark.parametrize(
    ("cell", "first", "last"),
    [
        ("MSitAE-APRIL-2020", dt.date(2020, 4, 1), dt.date(2020, 4, 30)),
        ("msitae-february-2020", dt.date(2020, 2, 1), dt.date(2020, 2, 29)),
        ("MSitAE-FEBRUARY-2021", dt.date(2021, 2, 1), dt.date(2021, 2, 28)),
        ("MSitAE-DECEMBER-2020", dt.date(2020, 12, 1), dt.date(2020, 12, 31)),
        (" MSitAE-Sept-2020 ", dt.date(2020, 9, 1), dt.date(2020, 9, 30)),
        ("January 2021", dt.date(2021, 1, 1), dt.date(2021, 1, 31)),
    ],
)
def test_month(cell: Any, first: dt.date, last: dt.date) -> None:
    """First and last day of the month."""
    assert values.month(cell) == (first, last)


@pytest.mark.parametrize(
    "cell",
    [
        None,
        "",
        "MSitAE",
        "MSitAE-SMARCH-2020",
        "MSitAE-MA-2020",
        "MSitAE-APRIL-20",
        "MSitAE-APRIL-0000",
        "MSitAE-DECEMBER-9999",
        "MSitAE-APRIL-\u0662\u0660\u0662\u0660",
        "MSitAE-APRIL-2020-revised",
        "2020-04",
        202004,
        dt.date(2020, 4, 1),
    ],
)
def test_not_a_month(cell: Any) -> None:
    """No month, half of one, or one of no calendar."""
    _refused(values.month, cell)


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("rj1", "RJ1"),
        (" RJ1 ", "RJ1"),
        ("RJ101", "RJ101"),
        (None, None),
        (" ", None),
    ],
)
def test_code(cell: Any, value: str | None) -> None:
    """Upper-cased, without the spaces around it."""
    assert values.code(cell, "[A-Z0-9]{3,5}") == value


@pytest.mark.parametrize(
    "cell", ["R", "RJ1012", "R J1", "RJ1\nRJ2", "RJ-1", "-", "=RJ1", "\u0420J1", "\u00df12", "R\u01311"]
)
def test_not_a_code(cell: str) -> None:
    """Too short or long, or letters that only look like, or become, those of the alphabet."""
    _refused(values.code, cell, "[A-Z0-9]{3,5}")


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        (" St. Elsewhere's  NHS Trust ", "St. Elsewhere's NHS Trust"),
        ("A\u00a0B", "A B"),
        ("-", None),
        (None, None),
        ("3M", "3M"),
        (111.0, "111"),
    ],
)
def test_name(cell: Any, value: str | None) -> None:
    """One line of text; a lone hyphen is a publisher's empty cell."""
    assert values.name(cell) == value


@pytest.mark.parametrize("cell", ["=1+1", "+A1", "-A1", "@SUM(A1)", "  =1+1", "\t=1", "--"])
def test_no_name_is_a_formula(cell: str) -> None:
    """What a spreadsheet would run."""
    _refused(values.name, cell)


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("NHS ENGLAND MIDLANDS", "Y60"),
        ("NHS ENGLAND MIDLANDS ", "Y60"),
        ("nhs england midlands (central midlands)", "Y60"),
        ("NHS ENGLAND MIDLANDS (A (B))", "Y60"),
        ("London", "Y56"),
        ("Y60", "Y60"),
        ("North East  and\u00a0Yorkshire", "Y63"),
        ("", None),
        ("-", None),
        (None, None),
    ],
)
def test_region(cell: Any, value: str | None) -> None:
    """By the name or the code the return gives it; a sub-region in brackets is ignored."""
    assert values.region(cell, REGIONS) == value


@pytest.mark.parametrize("cell", ["NHS ENGLAND", "MIDLANDS AND EAST", "(MIDLANDS)", "Y99", "WALES"])
def test_not_a_region(cell: str) -> None:
    """A region is never guessed."""
    _refused(values.region, cell, REGIONS)


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("April-2020-revised-260421-abc12.csv", dt.date(2021, 4, 26)),
        ("Monthly-AE-March-2020-REVISED-010420.csv", dt.date(2020, 4, 1)),
        ("September-2019-revised-29.11.2019.csv", dt.date(2019, 11, 29)),
        ("May-2021-revised-12072021-xy1.csv", dt.date(2021, 7, 12)),
        ("April-2020.csv", None),
        ("April-2020-revised.csv", None),
        ("April-2020-revised-310220.csv", None),
        ("April-2020-revised-2604210.csv", None),
        ("April-2020-revised-\u0662\u0666\u0660\u0664\u0662\u0661.csv", None),
        ("", None),
    ],
)
def test_the_date_in_a_published_name(name: str, day: dt.date | None) -> None:
    """Day, month, year after `revised-`; what is no date is none."""
    assert values.revised_in_name(name) == day


def _refused(rule: Callable[..., Any], cell: Any, *arguments: Any) -> None:
    with pytest.raises(NotThis) as refusal:
        rule(cell, *arguments)
    shown = str(cell).strip()
    if len(shown) > 2:
        assert shown not in str(refusal.value).replace("MSitAE-APRIL-2020", "the example")
