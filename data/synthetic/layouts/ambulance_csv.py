"""The ambulance system indicators: one wide row a service, region and England a month, a full stop for no figure."""

from __future__ import annotations

import datetime as dt

from data.synthetic.ambulance_activity import FEED, ISSUES, ITEMS, metric
from data.synthetic.documents import Cell, DelimitedFile, Table
from data.synthetic.england import England
from data.synthetic.geography import REGIONS
from data.synthetic.publication import Publication

KEYS = ("Year", "Month", "Region", "Org Code", "Org Name")
NOT_AVAILABLE = "."
# Items in the order in which the publication has them; those that no metric needs hold no figure here.
NUMBERS = (
    *(0, 1, 2, 3, 4, 114, 5, 6, 111, 112, 113, 7, 8, 9, 10, 11, 12),
    *range(24, 39),
    *range(17, 24),
    *range(53, 57),
)
ORDER = tuple(f"A{number}" for number in NUMBERS)


def ambulance_files(england: England, publications: list[Publication]) -> list[DelimitedFile]:
    """One file a publication."""
    files = []
    for publication, (published, months) in zip(publications, ISSUES, strict=True):
        rows = [row for month in months for row in _month(england, publication, month)]
        table = Table([*KEYS, *ORDER], rows, key=3, figures_from=len(KEYS))
        files.append(DelimitedFile(FEED, f"AmbSYS-to-{months[-1]:%B-%Y}-revised-{published:%d%m%y}.csv", table))
    return files


def _month(england: England, publication: Publication, month: dt.date) -> list[list[Cell]]:
    services = {service.code: service for service in england.ambulance_trusts}
    date: list[Cell] = [month.year, month.month]
    return [
        [*date, "Eng", "Eng", "England", *_items(publication, month, list(services))],
        *[
            [*date, service.region.code, code, service.upper_name, *_items(publication, month, [code])]
            for code, service in services.items()
        ],
        *[
            [
                *date,
                region.name,
                region.code,
                region.name,
                *_items(publication, month, [code for code, service in services.items() if service.region is region]),
            ]
            for region in REGIONS
        ],
    ]


def _items(publication: Publication, month: dt.date, codes: list[str]) -> list[Cell]:
    return [_sum(publication, item, month, codes) if item in ITEMS else NOT_AVAILABLE for item in ORDER]


def _sum(publication: Publication, item: str, month: dt.date, codes: list[str]) -> Cell:
    figures = publication.figures[metric(item), month]
    held = [value for code in codes if (value := figures[code]) is not None]
    return sum(held) if held else NOT_AVAILABLE
