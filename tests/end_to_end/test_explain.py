"""`datastore explain`: an audit of 500 cells against the sealed originals, and what it says to people and programs."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest

from pipelines.adapters.landing import Landing
from pipelines.explain import Explainer, NoSuchCell
from tests.support.originals import Original
from tests.support.stores import Store

CELLS = 500
SEED = 20200401
# Zeros of the publisher that mean "not reported": the cell holds 0, the figure has no value and says why.
ZEROS = {"field_test", "zero_for_missing"}

Figures = dict[tuple[str, str], float | None]


@pytest.fixture(scope="module")
def explainer(built_datastore: Store) -> Iterator[Explainer]:
    """An explainer of the store's release."""
    explaining = Explainer(built_datastore.settings)
    with explaining.cells:
        yield explaining


def test_five_hundred_cells_are_what_the_originals_say(explainer: Explainer, built_datastore: Store) -> None:
    """Of any subject mart, in any view: each published cell behind one is read again, and the cell recomputed."""
    open_original = originals(built_datastore)
    audited, values = 0, 0
    for mart, view, key, measure in chosen(explainer):
        where = f"{mart} {view} {key} {measure} (seed {SEED})"
        told = explainer.explain(mart, key, view)
        figures: Figures = {}
        for cell in told["cells"]:
            read = open_original(cell["feed"], cell["sha256"]).number(cell["sheet"], cell["row"], cell["column"])
            if cell["status_reason"] in ZEROS:
                assert (read, cell["value"]) == (0.0, None), (where, cell)
                read = None
            assert read == cell["value"], (where, cell)
            place = (cell["metric_id"], cell["org_code"])
            assert place not in figures, (where, cell)
            figures[place] = read
        recomputed = recompute(mart, told["row"], measure, figures)
        assert same(recomputed, told["row"][measure]), where
        assert told["row"]["orgs_reported"] == sum(one["is_reported"] for one in told["organisations"]), where
        assert told["row"]["orgs_expected"] == sum(one["is_expected"] for one in told["organisations"]), where
        assert all(one["is_reported"] or one["why_not"] for one in told["organisations"]), where
        assert {cell["sha256"] for cell in told["cells"]} == {file["sha256"] for file in told["files"]}, where
        assert all(file["agreement"] and file["legal_basis"] for file in told["files"]), where
        audited += 1
        values += recomputed is not None
    print(f"{audited} cells audited, {values} with a value; seed {SEED}")
    assert audited == CELLS


def same(recomputed: float | None, published: float | None) -> bool:
    """Equal, but for the noise of binary fractions: a count that is one off, or a missing figure, is not."""
    if recomputed is None or published is None:
        return recomputed is published
    return math.isclose(recomputed, published, rel_tol=1e-9)


def originals(store: Store) -> Callable[[str, str], Original]:
    """Opens the sealed original of a batch, once."""
    landing = Landing(store.settings)

    @cache
    def opened(feed: str, sha256: str) -> Original:
        held = landing.find(sha256)
        assert held is not None and held.feed == feed
        return Original(b"".join(landing.original(held)))

    return opened


def chosen(explainer: Explainer) -> list[tuple[str, str, dict[str, str], str]]:
    """Random cells, as many of each subject mart and view as of any other."""
    dice = random.Random(SEED)
    places = [(mart, view) for mart in sorted(explainer.subjects) for view in explainer.schemas]
    drawn = []
    rows: dict[tuple[str, str], list[tuple[Any, ...]]] = {}
    for number in range(CELLS):
        mart, view = places[number % len(places)]
        grain = explainer.grain(mart)
        table = f"{explainer.schemas[view]}.{mart}"
        if (mart, view) not in rows:
            asked = f"select {', '.join(grain)} from {table} order by all"
            rows[mart, view] = explainer.cells.connection.execute(asked).fetchall()
        assert rows[mart, view], f"{table} is empty: nothing to audit"
        row = dice.choice(rows[mart, view])
        key = {column: str(value) for column, value in zip(grain, row, strict=True)}
        drawn.append((mart, view, key, dice.choice(explainer.subjects[mart]["measures"])))
    return drawn


def recompute(mart: str, row: dict[str, Any], measure: str, figures: Figures) -> float | None:
    """A cell from published cells alone, by the definitions of the glossary written down a second time."""

    def total(*prefixes: str) -> float | None:
        """What the reported cells of these measures add up to."""
        found = [
            value for (metric, _), value in figures.items() if metric.split("__")[0] in prefixes and value is not None
        ]
        return math.fsum(found) if found else None

    if mart == "ae_performance_monthly":
        return _four_hours(row, measure, figures)
    if row.get("basis") == "covid_sitrep" and measure in ("occupied_beds", "open_beds"):
        parts = ["covid_occupied_beds", "non_covid_occupied_beds", "unoccupied_beds"]
        sums = [total(part) for part in parts[: 2 if measure == "occupied_beds" else 3]]
        return None if None in sums else math.fsum(part for part in sums if part is not None)
    if measure == "occupancy_rate":
        whole = "available_beds" if mart == "occupancy_quarterly" else "open_beds"
        occupied, beds = recompute(mart, row, "occupied_beds", figures), recompute(mart, row, whole, figures)
        return occupied / beds if occupied is not None and beds else None
    return total(measure)


def _four_hours(row: dict[str, Any], measure: str, figures: Figures) -> float | None:
    """Booked and other attendances together; an organisation with a part missing is left out of the sum."""
    departments = ["type_1", "type_2", "other"] if row["department_type"] == "all" else [row["department_type"]]

    def by_organisation(prefix: str, of: list[str]) -> dict[str, float]:
        parts: dict[str, list[float | None]] = {}
        for (metric, code), value in figures.items():
            name, dimension, _ = metric.split("__")
            if name.removesuffix("_not_booked").removesuffix("_booked") == prefix and dimension in of:
                parts.setdefault(code, []).append(value)
        return {
            code: math.fsum(v for v in values if v is not None) for code, values in parts.items() if None not in values
        }

    attended, over = by_organisation("attendances", departments), by_organisation("over_four_hours", departments)
    counted = {code: attended[code] for code in over if code in attended}
    whole = {
        "attendances": attended,
        "over_four_hours": over,
        "four_hour_attendances": counted,
        "emergency_admissions_via_ae": by_organisation("emergency_admissions_via_ae", departments),
    }
    if measure == "within_four_hours_rate":
        seen = sum(counted.values())
        return (seen - sum(over.values())) / seen if seen else None
    found = whole.get(measure)
    if found is None:
        found = by_organisation(measure, ["all"])
    return sum(found.values()) if found else None


def test_the_same_in_text_and_json(built_datastore: Store, explainer: Explainer) -> None:
    """A rate of England: numerator over denominator, cells by place, the checks, the legal basis; names as given."""
    key = ("month=2020-08-01", "org_code=E92000001", "department_type=all")
    done = built_datastore.run("explain", "ae_performance_monthly", *key, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    rate = next(one for one in told["measures"] if one["measure"] == "within_four_hours_rate")
    assert rate["value"] == rate["numerator"]["value"] / rate["denominator"]["value"]
    assert {one["why"] for one in rate["organisations_out"]} >= {"not_reported (field_test)"}
    assert len(told["cells"]) > 1000
    printed = built_datastore.run("explain", "ae_performance_monthly", *key)
    assert printed.returncode == 0, printed.stderr
    for words in ("field_test", "legal basis", "sha256", "code version", "checks of the file", rate["metric_id"]):
        assert words in printed.stdout
    assert len(printed.stdout.splitlines()) < 200


def test_an_observation_is_explained_as_it_was_known(built_datastore: Store, explainer: Explainer) -> None:
    """A derived figure of an older publication is made of that publication's cells, not of the newest."""
    [(metric_id, code, start, known)] = explainer.cells.connection.execute(
        "select o.metric_id, o.org_code, o.period_start, o.known_from from marts.observation as o "
        "join marts.metric as m on o.metric_id = m.metric_id and m.is_current and not m.is_base and m.kind <> 'ratio' "
        "where o.known_to is not null and o.value is not null and m.basis = 'covid_sitrep' order by all limit 1"
    ).fetchall()
    key = {"metric_id": metric_id, "org_code": code, "period_start": str(start), "known_from": str(known)}
    told = explainer.explain("observation", key)
    assert sum(cell["value"] for cell in told["cells"]) == told["row"]["value"]
    opened = originals(built_datastore)
    for cell in told["cells"]:
        assert cell["known_from"] <= known
        read = opened(cell["feed"], cell["sha256"]).number(cell["sheet"], cell["row"], cell["column"])
        assert read == cell["value"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nothing", "org_code=ZA1"), "nothing is no mart"),
        (("metric", "metric_id=x"), "holds records, not figures"),
        (("occupancy_daily",), "say which row"),
        (("occupancy_daily", "org_code"), "say KEY=VALUE"),
        (("occupancy_daily", "code=ZA1"), "no column code; columns: snapshot_date"),
        (("occupancy_daily", "org_code=ZA1"), "say also snapshot_date, bed_type"),
        (("occupancy_daily", "snapshot_date=yesterday"), "no such cell"),
        (("occupancy_daily", "org_code='; drop table x"), "no such cell"),
        (("occupancy_daily", "org_code=ZA1", "--view", "as_ever"), "say as_reported, as_at_date, as_current"),
        (("observation", "org_code=ZA1", "--view", "as_current"), "as reported only"),
    ],
)
def test_no_such_cell_is_one_line(built_datastore: Store, words: tuple[str, ...], said: str) -> None:
    done = built_datastore.run("explain", *words)
    assert done.returncode == 2
    assert said in done.stderr and len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert done.stdout == ""


def test_an_ambiguous_cell_is_named_by_what_differs(explainer: Explainer) -> None:
    with pytest.raises(NoSuchCell, match="say also department_type"):
        explainer.explain("ae_performance_monthly", {"month": "2020-08-01", "org_code": "E92000001"})
