"""Weekly vaccinations: a header of two rows, doses over age bands; sheets and bands are added week by week."""

from __future__ import annotations

from data.synthetic.documents import Cell, Figure, Table, TotalRow
from data.synthetic.geography import ICBS, NATION_CODE, REGIONS
from data.synthetic.layouts.pages import Band, Page, Printed, Workbook, ordinal
from data.synthetic.vaccinations_activity import DOSES, ELSEWHERE, FEED, FIRST_DAY, ISSUES, Doses, Issue, residences

DOSE_LABELS = ("1st dose", "2nd dose")
TOTAL_LABEL = "Cumulative Total Doses to Date"
REGION, ICS, CCG = "Region of Residence", "ICS/STP of Residence", "CCG of Residence"
NOTES = (
    "Data quality notes:",
    "Data in these tables were extracted from the National Immunisation Management Service (NIMS).",
    "The sum of the regions will not equal the England total. This is due to a small number of individuals not "
    "having an English region of residence recorded.",
)

Row = tuple[list[Cell], Doses]


def vaccination_workbooks(seed: int) -> list[Workbook]:
    """One workbook a week."""
    return [
        Workbook(FEED, f"COVID-19-weekly-announced-vaccinations-{issue.last:%d-%B-%Y}.xlsx", issue.published, pages)
        for issue in ISSUES
        for pages in [_pages(issue, residences(issue, seed))]
    ]


def _pages(issue: Issue, told: dict[str, Doses]) -> list[Page]:
    regions: list[Row] = [([_title(region.name)], told[region.code]) for region in REGIONS]
    if not issue.has_areas:
        regions.append(([ELSEWHERE], told[ELSEWHERE]))
    pages = [_contents(issue), _page("Vaccinations by Region & Age", issue, told[NATION_CODE], (REGION,), regions)]
    if issue.has_areas:
        areas: list[Row] = [([icb.region.name, icb.name], told[icb.code]) for icb in ICBS]
        groups: list[Row] = [([icb.region.name, icb.name, icb.ccg_name], told[icb.code]) for icb in ICBS]
        pages += [
            _page("Vaccinations by ICS STP & Age", issue, told[NATION_CODE], (REGION, ICS), areas),
            _page("Vaccinations by CCG & Age", issue, told[NATION_CODE], (REGION, ICS, CCG), groups),
        ]
    return pages


def _title(name: str) -> str:
    """Regions as this publication writes them on the first sheet: East Of England."""
    return name.title()


def _words(issue: Issue, by: str) -> list[tuple[int, str, Cell]]:
    period = f"{ordinal(FIRST_DAY)} {'to' if issue.has_areas else 'and'} {ordinal(issue.last)}"
    return [
        (2, "Title:", f"COVID-19 Vaccinations{by}"),
        (3, "Summary:", "The number of people who have been vaccinated for COVID-19."),
        (4, "Period:", period if issue.has_areas else f"Data between {period}"),
        (5, "Source:", "National Immunisation Management Service (NIMS)"),
        (6, "Basis:", "England"),
        (7, "Published:", ordinal(issue.published)),
        (8, "Status:", "Published"),
    ]


def _contents(issue: Issue) -> Page:
    loose: list[tuple[int, int, Cell]] = [(10, 2, "Contents"), (12, 2, "Vaccinations by Region and Age")]
    words = _words(issue, "")
    return Page("Contents", words, Table([], []), (), header_row=10, first_column=2, rows_from=None, loose=loose)


def _page(name: str, issue: Issue, england: Doses, keys: tuple[str, ...], rows: list[Row]) -> Page:
    """Keys (a blank column after the first), one block of ages a dose with spacers between, the total of doses."""
    columns: dict[Cell, Cell] = {f"{label} {age}": age for label in DOSE_LABELS for age in issue.bands.values()}
    table = Table(
        [*keys, *columns, TOTAL_LABEL],
        [[*labels, *_figures(doses, issue)] for labels, doses in rows],
        key=len(keys) - 1,
        figures_from=len(keys),
        totals=[TotalRow(["Total"], values=_figures(england, issue))],
        labels=columns,
    )
    first, width = len(keys), len(issue.bands)
    table.wholes = {first + 2 * width: tuple(range(first, first + 2 * width))}
    key_columns = [Printed(0, label=""), Printed(), *[Printed(place, label="") for place in range(1, len(keys))]]
    begins = 2 + len(key_columns)
    doses = [
        Band(12, begins + number * (width + 1), begins + number * (width + 1) + width - 1, label)
        for number, label in enumerate(DOSE_LABELS)
    ]
    at = begins + 2 * (width + 1)
    loose: list[tuple[int, int, Cell]] = [
        (10, 2, "Breakdown by residence and age group"),
        (12, 2, keys[0]),
        *[(12, 3 + place, key) for place, key in enumerate(keys[1:], start=1)],
        (12, at, TOTAL_LABEL),
    ]
    printed = [
        *key_columns,
        *[Printed(first + place) for place in range(width)],
        Printed(),
        *[Printed(first + width + place) for place in range(width)],
        Printed(),
        Printed(first + 2 * width, label=""),
    ]
    return Page(
        name,
        _words(issue, f" By {keys[-1]} and Age Group"),
        table,
        printed,
        header_row=13,
        first_column=2,
        rows_from=16,
        totals_at={14: 0},
        bands=doses,
        loose=loose,
        notes=NOTES,
    )


def _figures(doses: Doses, issue: Issue) -> list[Figure]:
    figures = [doses[dose, band] for dose in DOSES for band in issue.bands]
    return [*figures, sum(figures)]
