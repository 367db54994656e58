"""Extracts of Hospital Episode Statistics: known by their header, turned into the contract's records as declared."""

from __future__ import annotations

import csv
import datetime as dt
import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from pipelines import intake, settings
from pipelines.adapters import catalogue, warehouse
from pipelines.intake import Arrival
from pipelines.settings import Settings
from tests.support.stores import Store

AE, APC = "ecds_attendances", "apc_spells"
PERSON = "TESTperson0000000000000000000one"
ATTENDANCE = {
    "FYEAR": "2021",
    "PSEUDO_HESID": PERSON,
    "AEKEY": "100000000001",
    "AEATTENDCAT": "1",
    "AEDEPTTYPE": "01",
    "ARRIVALAGE": "41.0",
    "ARRIVALDATE": "2020-06-01",
    "ARRIVALTIME": "0652",
    "INITTIME": "0705",
    "TRETTIME": "4000",
    "CONCLTIME": "0930",
    "DEPTIME": "0931",
    "DIAG2_01": "38",
    "PROCODE3": "ZA0",
    "PROCODE5": "ZA001",
    "SITETRET": "",
    "SUBDATE": "1801-01-01",
    "SUSLDDATE_HIS": "2020-07-01 00:00:00",
}
EPISODE = {
    "FYEAR": "2021",
    "PSEUDO_HESID": PERSON,
    "EPIKEY": "200000000001",
    "EPIORDER": "1",
    "SPELEND": "Y",
    "ADMIDATE": "2020-06-01",
    "DISDATE": "2020-06-04",
    "ADMIMETH": "21",
    "ADMISORC": "19",
    "CLASSPAT": "1",
    "DISDEST": "19",
    "DISMETH": "1",
    "MYDOB": "061955",
    "TRETSPEF": "300",
    "MAINSPEF": "430",
    "PROCODE3": "ZA0",
    "PROCODE5": "ZA001",
    "SITETRET": "ZA002",
    "SUBDATE": "2020-07-01",
    "DIAG_4_01": "J189",
    "DIAG_4_02": "",
}


def written(rows: list[dict[str, str]], names: list[str]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


@pytest.fixture
def store(tmp_path: Path) -> Settings:
    made = Store(tmp_path / "store").settings
    settings.prepare(made)
    return made


def received(store: Settings, feed: str, path: Path, content: bytes | None = None) -> Arrival:
    if content is not None:
        path.write_bytes(content)
    [arrival] = intake.receive(store, catalogue.feeds()[feed], [str(path)])
    return arrival


def rows_of(store: Settings, feed: str, arrival: Arrival, columns: str) -> list[tuple[Any, ...]]:
    with warehouse.connect(store) as connection:
        file = warehouse.accepted_file(store.accepted / feed / f"{arrival.sha256}.parquet")
        return connection.execute(f"SELECT {columns} FROM {file} ORDER BY ALL").fetchall()


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def test_an_attendance_of_hes(store: Settings, tmp_path: Path) -> None:
    rows = [
        ATTENDANCE,
        # The clock shows less than at arrival: the next day, here that of the autumn night.
        ATTENDANCE
        | {"AEKEY": "2", "ARRIVALDATE": "2020-10-24", "ARRIVALTIME": "2350", "INITTIME": "", "DEPTIME": "0330"}
        | {"SUSLDDATE_HIS": "2021-01-01T00:00:00"},
        # A planned follow-up is 4 here, an unplanned one 2.
        ATTENDANCE | {"AEKEY": "3", "AEATTENDCAT": "2", "SITETRET": "ZA003"},
        ATTENDANCE | {"AEKEY": "4", "AEATTENDCAT": "3", "SUSLDDATE_HIS": "1802-01-01 00:00:00"},
        ATTENDANCE | {"AEKEY": "5", "AEATTENDCAT": "9"},
        ATTENDANCE | {"AEKEY": "6", "AEDEPTTYPE": "99"},
        ATTENDANCE | {"AEKEY": "7", "ARRIVALTIME": "4000"},
        ATTENDANCE | {"AEKEY": "8", "ARRIVALTIME": "652"},
        ATTENDANCE | {"AEKEY": "9", "ARRIVALDATE": "1801-01-01"},
    ]
    arrival = received(store, AE, tmp_path / "any name.csv", written(rows, list(ATTENDANCE)[::-1]))
    assert (arrival.verdict, arrival.rejected) == (
        "accepted",
        {"code_not_permitted": 2, "sentinel_date": 1, "value_not_of_type": 2},
    )
    columns = (
        "ec_attendance_category, site_code, arrival_at, ec_initial_assessment_at, ec_seen_for_treatment_at, "
        "ec_decision_to_admit_at, ec_departure_at, submission_date, record_version, person_pseudonym, age_band"
    )
    summer = (at("2020-06-01 05:52"), at("2020-06-01 06:05"), None, None, at("2020-06-01 08:31"))
    autumn = (at("2020-10-24 22:50"), None, None, None, at("2020-10-25 03:30"))
    [received_on] = rows_of(store, AE, arrival, "max(submission_date)")[0]
    july = dt.date(2020, 7, 1)
    assert received_on == settings.today()
    assert rows_of(store, AE, arrival, columns) == [
        ("1", "ZA001", *summer, july, 1, None, "unknown"),
        ("1", "ZA001", *autumn, dt.date(2021, 1, 1), 1, None, "unknown"),
        ("2", "ZA001", *summer, received_on, 1, None, "unknown"),
        ("4", "ZA003", *summer, july, 1, None, "unknown"),
    ]


def test_episodes_become_spells(store: Settings, tmp_path: Path) -> None:
    rows = [
        EPISODE,
        # Three episodes of one spell, whatever their order; the last alone has the discharge and the code of COVID-19.
        EPISODE
        | {
            "ADMIDATE": "2020-06-10",
            "EPIKEY": "13",
            "EPIORDER": "3",
            "DISDATE": "2020-06-20",
            "DISDEST": "54",
            "TRETSPEF": "192",
            "SITETRET": "ZA009",
            "DIAG_4_02": "U071",
        },
        EPISODE | {"ADMIDATE": "2020-06-10", "EPIKEY": "11", "SPELEND": "N", "DISDATE": "", "DISDEST": ""},
        EPISODE
        | {
            "ADMIDATE": "2020-06-10",
            "EPIKEY": "12",
            "EPIORDER": "2",
            "SPELEND": "N",
            "DISDATE": "",
            "DISDEST": "",
            "TRETSPEF": "340",
        },
        # Twice on one day, each whole: two spells.
        EPISODE | {"ADMIDATE": "2020-06-21", "DISDATE": "2020-06-21", "EPIKEY": "21", "CLASSPAT": "2"},
        EPISODE | {"ADMIDATE": "2020-06-21", "DISDATE": "2020-06-21", "EPIKEY": "22", "CLASSPAT": "2"},
        # Still there; born in the month.
        EPISODE
        | {"ADMIDATE": "2020-06-25", "DISDATE": "", "DISDEST": "", "EPIKEY": "31", "SPELEND": "N", "MYDOB": "062020"},
        # The first episode was in last year's extract; a person of unknown treatment function; a sentinel.
        EPISODE | {"ADMIDATE": "2020-03-30", "EPIKEY": "41", "EPIORDER": "2"},
        EPISODE | {"EPIKEY": "51", "TRETSPEF": "&"},
        EPISODE | {"EPIKEY": "61", "DISDATE": "1801-01-01"},
        EPISODE | {"EPIKEY": "71", "ADMIMETH": "84"},
    ]
    arrival = received(store, APC, tmp_path / "x.csv", written(rows, list(EPISODE)))
    assert (arrival.verdict, arrival.rejected) == (
        "accepted",
        {"required_value_missing": 1, "code_not_permitted": 2, "sentinel_date": 1},
    )
    columns = (
        "admission_at, discharge_at, discharge_destination, treatment_function_code, site_code, "
        "patient_classification, is_covid_diagnosed, is_covid_primary, age_band, person_pseudonym"
    )
    plain = ("19", "300", "ZA002", "1", False, False, "65_84", None)
    day = ("19", "300", "ZA002", "2", False, False, "65_84", None)
    spells = [
        (at("2020-06-01 11:00"), at("2020-06-04 11:00"), *plain),
        (at("2020-06-10 11:00"), at("2020-06-20 11:00"), "54", "300", "ZA002", "1", True, False, "65_84", None),
        (at("2020-06-21 11:00"), at("2020-06-21 11:00"), *day),
        (at("2020-06-21 11:00"), at("2020-06-21 11:00"), *day),
        (at("2020-06-25 11:00"), None, None, "300", "ZA002", "1", False, False, "0_5", None),
    ]
    assert rows_of(store, APC, arrival, columns) == spells

    # In small letters, in Parquet with dates as dates, and with the provider's number of the spell: the same.
    table = {name.lower(): [row[name] or None for row in rows] for name in EPISODE}
    for name in ("admidate", "disdate", "subdate"):
        table[name] = pa.array([cell and dt.date.fromisoformat(cell) for cell in table[name]], pa.date32())
    target = io.BytesIO()
    pyarrow.parquet.write_table(pa.table(table), target)
    arrival = received(store, APC, tmp_path / "x.parquet", target.getvalue())
    assert rows_of(store, APC, arrival, columns) == spells
    everything = b"".join(path.read_bytes() for path in store.home.rglob("*") if path.is_file())
    assert PERSON.encode() not in everything


def test_a_column_that_nobody_knows_stops_an_extract(store: Settings, tmp_path: Path) -> None:
    for feed, row in ((AE, ATTENDANCE), (APC, EPISODE)):
        names = [*row, "WARD91"]
        arrival = received(store, feed, tmp_path / "x.csv", written([row | {"WARD91": "seven"}], names))
        assert (arrival.verdict, arrival.reasons) == ("accepted", [])
        arrival = received(store, feed, tmp_path / "y.csv", written([row | {"PHONE": "seven"}], [*row, "PHONE"]))
        assert arrival.verdict == "quarantined" and "undeclared columns hold values: PHONE" in arrival.reasons[0]
        arrival = received(store, feed, tmp_path / "z.csv", written([row], [*row, "PHONE"]))
        assert arrival.verdict == "accepted", arrival.reasons
        twice = written([row], list(row)).replace(b"PROCODE5", b"procode3")
        arrival = received(store, feed, tmp_path / "w.csv", twice)
        assert arrival.verdict == "quarantined" and "twice in the header" in arrival.reasons[0]


# What the publisher's artificial extracts hold does not keep the contract's limit, and that is what is said of them.
REAL: dict[str, tuple[str, int, dict[str, int]]] = {
    AE: ("artificial_hes_ae_0708_truncated.csv", 0, {"code_not_permitted": 1000}),
    APC: (
        "artificial_hes_apc_0102_truncated.csv",
        1490,
        {"required_value_missing": 200, "code_not_permitted": 259, "sentinel_date": 1, "age_implausible": 125},
    ),
}


@pytest.mark.parametrize("feed", REAL)
def test_the_publishers_artificial_extract(store: Settings, tmp_path: Path, feeds_dir: Path, feed: str) -> None:
    name, rows, rejected = REAL[feed]
    original = feeds_dir / "artificial_hes" / name
    arrival = received(store, feed, original)
    assert (arrival.verdict, arrival.rows, arrival.rejected) == ("quarantined", rows, rejected)
    assert [f"{feed}.few_rows_rejected" in reason for reason in arrival.reasons] == [True]

    # With what makes its rows impossible put right, the same file is accepted as far as it goes.
    with original.open(newline="") as file:
        table = list(csv.DictReader(file))
    for row in table:
        if feed == AE:
            row["AEDEPTTYPE"] = "01"
        else:
            row["SITETRET"], row["MYDOB"], row["EPIORDER"] = "", "011950", "1"
    arrival = received(store, feed, tmp_path / "right.csv", written(table, list(table[0])))
    assert arrival.verdict == "accepted", (arrival.reasons, arrival.rejected)
    assert set(arrival.rejected) <= {"code_not_permitted", "sentinel_date", "value_not_of_type"}
    assert (arrival.rows or 0) + sum(arrival.rejected.values()) == len(table)
