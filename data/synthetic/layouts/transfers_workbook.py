"""Delayed transfers of care by local authority: three sheets of the same days, and England by reason."""

from __future__ import annotations

from data.synthetic.documents import Cell, Table, TotalRow
from data.synthetic.layouts.pages import Band, Page, Printed, Workbook, ordinal, preamble
from data.synthetic.publication import Publication
from data.synthetic.transfers_activity import AUTHORITIES, CARE, FEED, ISSUES, REASONS, RESPONSIBLE, Month

KEYS = ("Region", "ONS Geography", "Code", "Name")
RENAMED_FROM = 10
LABELS = {
    "acute": "Acute",
    "non_acute": "Non-Acute",
    "nhs": "NHS",
    "social_care": "Social Care",
    "both": "Both",
    "all": "Total",
}
REASON_LABELS = (
    "A) Awaiting completion of assessment",
    "B) Awaiting public funding",
    "C) Awaiting further non-acute NHS care",
    "Di) Awaiting residential home placement or availability",
    "Dii) Awaiting nursing home placement or availability",
    "E) Awaiting care package in own home",
    "F) Awaiting community equipment and adaptations",
    "G) Patient or family choice",
    "H) Disputes",
    "I) Housing - patients not covered by Care Act",
    "O) Other",
)
SUMMARY = (
    "Number of Delayed Days during the reporting period, Acute and Non-Acute, for NHS Organisations in England by {}."
)
NOTE = (
    "1. 'Average Number of People Delayed per Day' was previously titled 'DTOC Beds' and this has been renamed "
    "following feedback to increase clarity on what this represents."
)


def transfers_workbooks(publications: list[Publication]) -> list[Workbook]:
    """One workbook a month; the measure of people was renamed and explained in a note in autumn 2019."""
    return [
        Workbook(
            FEED,
            f"{month.first:%b_%y}.xlsx",
            month.revised or month.published,
            [
                _england(publication, month),
                _sheet(publication, month, "LA - by type of care", "the type of care that the patient receives", CARE),
                _sheet(publication, month, "LA - by responsible org", "the responsible organisation", RESPONSIBLE),
                _reasons(publication, month),
            ],
        )
        for publication, month in zip(publications, ISSUES, strict=True)
    ]


def _words(title: str, summary: str, month: Month) -> list[tuple[int, str, Cell]]:
    return preamble(
        title,
        summary,
        f"{month.first:%B %Y}",
        "NHS England Data Collection - MSitDT",
        ordinal(month.published),
        revised=ordinal(month.revised) if month.revised else None,
        basis="Local Authority",
    )


def _sheet(publication: Publication, month: Month, name: str, by: str, parts: tuple[str, ...]) -> Page:
    """Delayed days, a spacer, people delayed: the same labels under two bands."""
    is_renamed = month.first.month >= RENAMED_FROM
    bands = ("Delayed Days", "Average Number of People Delayed per Day" if is_renamed else "DTOC Beds")
    dimensions = (*parts, "all")
    columns: dict[Cell, Cell] = {f"{band} {LABELS[one]}": LABELS[one] for band in bands for one in dimensions}
    metrics = [f"{what}__{one}__msitdt" for what in ("delayed_days", "people_delayed") for one in dimensions]
    table = _table(publication, month, metrics, list(columns))
    table.labels = columns
    first, width = len(KEYS), len(dimensions)
    table.wholes = {at + width - 1: tuple(range(at, at + width - 1)) for at in (first, first + width)}
    return Page(
        name,
        _words("Delayed Transfer of Care, NHS Organisations, England", SUMMARY.format(by), month),
        table,
        [
            *[Printed(place) for place in range(first + width)],
            Printed(),
            *[Printed(first + width + place) for place in range(width)],
        ],
        header_row=14,
        first_column=2,
        rows_from=17,
        totals_at={15: 0},
        bands=[Band(13, 6, 5 + width, bands[0]), Band(13, 7 + width, 6 + 2 * width, bands[1])],
        notes=("Notes:", NOTE) if is_renamed else (),
    )


def _reasons(publication: Publication, month: Month) -> Page:
    metrics = [f"delayed_days__reason_{reason}__msitdt" for reason in REASONS] + ["delayed_days__all__msitdt"]
    table = _table(publication, month, metrics, [*REASON_LABELS, "Total"])
    first = len(KEYS)
    table.wholes = {first + len(REASONS): tuple(range(first, first + len(REASONS)))}
    return Page(
        "LA - by reason",
        _words("Delayed Transfer of Care, NHS Organisations, England", SUMMARY.format("reason for delay"), month),
        table,
        [Printed(place) for place in range(len(table.columns))],
        header_row=14,
        first_column=2,
        rows_from=17,
        totals_at={15: 0},
    )


def _england(publication: Publication, month: Month) -> Page:
    """England by type of care and responsible organisation: nobody loads this sheet."""
    loose: list[tuple[int, int, Cell]] = [
        (13, 2, "England Level Data"),
        (13, 4, "Number of Delayed Days during the reporting period"),
        (14, 2, "Type of Care"),
        (14, 3, "Reason for Delay"),
        *[(14, 4 + place, LABELS[one]) for place, one in enumerate(RESPONSIBLE)],
        (15, 2, "All"),
        (15, 3, "-"),
    ]
    for place, one in enumerate(RESPONSIBLE):
        values = publication.figures[f"delayed_days__{one}__msitdt", month.first].values()
        loose.append((15, 4 + place, sum(value or 0 for value in values)))
    words = _words(
        "Delayed Transfers of Care (DTOC) by Reason, England",
        "Delayed Transfers of Care (DTOC) by who the delay is attributable to (NHS, Social Care or Both)",
        month,
    )
    return Page("England", words, Table([], []), (), header_row=14, first_column=2, rows_from=None, loose=loose)


def _table(publication: Publication, month: Month, metrics: list[str], names: list[Cell]) -> Table:
    rows: list[list[Cell]] = [
        [
            authority.region,
            authority.ons_code or "-",
            authority.number,
            authority.name,
            *[publication.figures[metric_id, month.first][authority.code] for metric_id in metrics],
        ]
        for authority in AUTHORITIES
    ]
    table = Table([*KEYS, *names], rows, key=2, figures_from=len(KEYS), totals=[TotalRow(["-", "-", "-", "England"])])
    table.recalculate_totals()
    return table
