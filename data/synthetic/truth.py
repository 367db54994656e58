"""The answers: what a datastore should know of the synthetic England; made from the truth, not the files."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from data.synthetic import ae_activity
from data.synthetic.england import England, Organisation, Practice
from data.synthetic.geography import NATION_CODE, WALES
from data.synthetic.publication import Publication, Value

Row = list[object]
BED_TYPES_OF_COVID_ONLY = ("all", "mechanical_ventilation")


@dataclass(frozen=True)
class Version:
    """What was known of one figure from one publication until, exclusively, the next that changed it."""

    metric_id: str
    org_code: str
    period_start: dt.date
    known_from: dt.date
    value: Value
    known_to: dt.date | None = None


def truth_files(england: England, publications: list[Publication]) -> dict[str, str]:
    """The content of each truth file by its name."""
    versions = list(_versions(publications))
    return {
        "observation.csv": _csv(
            ("metric_id", "org_code", "period_start", "known_from", "value", "known_to"),
            ([v.metric_id, v.org_code, v.period_start, v.known_from, v.value, v.known_to] for v in versions),
        ),
        "ae_performance.csv": _csv(
            (
                "month",
                "org_level",
                "org_code",
                "department_type",
                "attendances",
                "over_four_hours",
                "four_hour_attendances",
                "within_four_hours_rate",
            ),
            _ae_performance(england, publications),
        ),
        "occupancy.csv": _csv(
            (
                "snapshot_date",
                "org_level",
                "org_code",
                "bed_type",
                "open_beds",
                "occupied_beds",
                "covid_occupied_beds",
                "occupancy_rate",
            ),
            _occupancy(versions),
        ),
        "organisations.csv": _csv(
            (
                "org_code",
                "org_level",
                "org_name",
                "open_date",
                "close_date",
                "trust_code",
                "icb_code",
                "region_code",
            ),
            _organisations(england),
        ),
        "field_test.csv": _csv(("month", "org_code"), _field_test(england)),
    }


def _versions(publications: list[Publication]) -> Iterator[Version]:
    """Figures as they were known: a repeated value is no new version, a row that is dropped is closed."""
    history = defaultdict(list)
    for publication in sorted(publications, key=lambda publication: publication.known_from):
        for key, by_provider in publication.figures.items():
            history[key].append((publication.known_from, by_provider))
    for (metric_id, period), issues in sorted(history.items()):
        for org_code in sorted({org_code for _, by_provider in issues for org_code in by_provider}):
            current: Version | None = None
            for known_from, by_provider in issues:
                said = org_code in by_provider
                if current and said and by_provider[org_code] == current.value:
                    continue
                if current:
                    yield Version(metric_id, org_code, period, current.known_from, current.value, known_to=known_from)
                value = by_provider.get(org_code)
                current = Version(metric_id, org_code, period, known_from, value) if said else None
            if current:
                yield current


def _ae_performance(england: England, publications: list[Publication]) -> Iterator[Row]:
    trusts = [provider.code for provider in england.ae_providers if provider.level == "trust"]
    for publication in publications:
        if publication.feed != ae_activity.FEED:
            continue
        month = next(period for _, period in publication.figures)
        for level, code in [("nation", NATION_CODE), *(("trust", trust) for trust in trusts)]:
            for department in (*ae_activity.DEPARTMENTS, "all"):
                among = None if level == "nation" else code
                yield [month, level, code, department, *_four_hours(publication, month, department, among)]


def _four_hours(publication: Publication, month: dt.date, department: str, among: str | None) -> Row:
    """Attendances, breaches, attendances that were measured, and the rate, of one provider or of all."""
    departments = ae_activity.DEPARTMENTS if department == "all" else (department,)
    attendances = measured = over = 0
    reported = False
    for one in departments:
        for how in ("not_booked", "booked"):
            came = publication.figures.get((f"attendances_{how}__{one}__msitae", month), {})
            late = publication.figures.get((f"over_four_hours_{how}__{one}__msitae", month), {})
            for org_code in came if among is None else [among]:
                attended, waited = came.get(org_code), late.get(org_code)
                attendances += attended or 0
                if attended is not None and waited is not None:
                    reported = True
                    measured += attended
                    over += waited
    if not reported:
        return [attendances, None, None, None]
    return [attendances, over, measured, _ratio(measured - over, measured)]


def _occupancy(versions: list[Version]) -> Iterator[Row]:
    """England's beds as known now: each part added over those who reported it, then the parts together."""
    parts: dict[tuple[str, dt.date, str], int] = defaultdict(int)
    for version in versions:
        measure, bed_type, basis = version.metric_id.split("__")
        if basis == "covid_sitrep" and measure.endswith("_beds") and version.known_to is None:
            parts[bed_type, version.period_start, measure] += version.value or 0
    for bed_type, day in sorted({(bed_type, day) for bed_type, day, _ in parts}):
        covid = parts[bed_type, day, "covid_occupied_beds"]
        if bed_type in BED_TYPES_OF_COVID_ONLY:
            yield [day, "nation", NATION_CODE, bed_type, None, None, covid, None]
            continue
        occupied = covid + parts[bed_type, day, "non_covid_occupied_beds"]
        open_beds = occupied + parts[bed_type, day, "unoccupied_beds"]
        rate = _ratio(occupied, open_beds)
        yield [day, "nation", NATION_CODE, bed_type, open_beds, occupied, covid, rate]


def _organisations(england: England) -> Iterator[Row]:
    """Organisations as the lists, read in the order spring then autumn, describe them.

    A site has the ICB of the trust that it belongs to; the region is where it is, as its own return names it.
    """
    trusts = {trust.code: trust for trust in england.trusts}
    for organisation in sorted(england.organisations, key=lambda organisation: organisation.code):
        trust = trusts.get(organisation.code) or trusts.get(organisation.parent_code or "")
        yield [
            organisation.code,
            organisation.level,
            organisation.name,
            organisation.opened,
            organisation.closed,
            trust.code if trust else None,
            _icb_code(organisation, trust),
            None if organisation.region is WALES else organisation.region.code,
        ]


def _icb_code(organisation: Organisation, trust: Organisation | None) -> str | None:
    if isinstance(organisation, Practice):
        return organisation.icb.code if organisation.icb and organisation.pcn_code else None
    return trust.icb.code if trust and trust.icb else None


def _field_test(england: England) -> Iterator[Row]:
    for season in ae_activity.SEASONS:
        for org_code in sorted(england.field_test):
            if ae_activity.is_field_test(england, org_code, season.month):
                yield [season.month, org_code]


def _ratio(part: int, whole: int) -> str | None:
    """A share to twelve decimal places; None where the whole is nothing."""
    return f"{Decimal(part) / Decimal(whole):.12f}" if whole else None


def _csv(header: tuple[str, ...], rows: Iterable[Row]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
