"""The truth as tables: what a datastore should know after reading every file. Made from the truth, not the files."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable, Iterator

from data.synthetic import ae_activity, truth_views
from data.synthetic.dashboard_activity import UNITED_KINGDOM
from data.synthetic.england import England
from data.synthetic.geography import WALES
from data.synthetic.publication import Publication
from data.synthetic.transfers_activity import AUTHORITIES
from data.synthetic.truth_marts import Row, mart_rows
from data.synthetic.truth_versions import Version, revisions, versions_of
from data.synthetic.winter_activity import planted

OBSERVATION = (
    "metric_id",
    "org_code",
    "period_start",
    "known_from",
    "value",
    "known_to",
    "period_end",
    "status",
)
REVISION = (
    "metric_id",
    "org_code",
    "period_start",
    "period_end",
    "known_before",
    "revised_at",
    "value_before",
    "value_after",
    "status_before",
    "status_after",
)
ORGANISATIONS = (
    "org_code",
    "org_level",
    "org_name",
    "open_date",
    "close_date",
    "trust_code",
    "icb_code",
    "region_code",
)
ORGANISATION_VIEW = ("organisation_view", "org_code", "valid_from", "valid_to", "counted_as", "is_apportionable")
PLANTED = ("what", "feed", "org_code", "first_day", "last_day", "size")


def truth_files(england: England, publications: list[Publication]) -> dict[str, str]:
    """The content of each truth file by its name."""
    versions = list(versions_of(publications))
    marts = mart_rows(england, versions)
    tables: dict[str, tuple[tuple[str, ...], Iterable[Row]]] = {
        "observation": (OBSERVATION, map(_observation, versions)),
        "revision": (REVISION, revisions(versions)),
        "organisations": (ORGANISATIONS, _organisations(england)),
        "organisation_view": (ORGANISATION_VIEW, truth_views.rows()),
        "field_test": (("month", "org_code"), _field_test(england)),
        "planted": (PLANTED, planted()),
        **marts,
    }
    return {f"{name}.csv": _csv(header, rows) for name, (header, rows) in tables.items()}


def _observation(version: Version) -> Row:
    return [
        version.metric_id,
        version.org_code,
        version.period_start,
        version.known_from,
        version.value,
        version.known_to,
        version.period_end,
        version.status,
    ]


def _organisations(england: England) -> Iterator[Row]:
    """Organisations as the lists, read in the order spring then autumn, describe them, and whom no list holds.

    A site has the ICB of the trust that it belongs to; the region is where it is, as its own return names it.
    """
    for authority in AUTHORITIES:
        yield [authority.code, "other", authority.name, *[None] * 5]
    yield [UNITED_KINGDOM, "other", "United Kingdom", *[None] * 5]
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
            england.icb_code(organisation, dt.date.max),
            None if organisation.region is WALES else organisation.region.code,
        ]


def _field_test(england: England) -> Iterator[Row]:
    for season in ae_activity.SEASONS:
        for org_code in sorted(england.field_test):
            if ae_activity.is_field_test(england, org_code, season.month):
                yield [season.month, org_code]


def _csv(header: tuple[str, ...], rows: Iterable[Row]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
