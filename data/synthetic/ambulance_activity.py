"""The truth behind the ambulance system indicators: one service a region, to February and then to March 2024.

One service could not count its calls in one month, another corrected them; category 4 was not collected in the first.
"""

from __future__ import annotations

import datetime as dt
import random

from data.synthetic.england import England
from data.synthetic.publication import NOT_COLLECTED, Publication, month_end

FEED = "ambulance_ambsys"
MONTHS = (dt.date(2024, 1, 1), dt.date(2024, 2, 1), dt.date(2024, 3, 1))
# Item of the specification -> what it is here.
ITEMS = {
    "A1": "calls_answered__all",
    "A2": "call_answer_time__all",
    "A7": "incidents__all",
    "A8": "incidents__category_1",
    "A9": "incidents__category_1_transport",
    "A10": "incidents__category_2",
    "A11": "incidents__category_3",
    "A12": "incidents__category_4",
    "A24": "response_time__category_1",
    "A27": "response_time__category_1_transport",
    "A30": "response_time__category_2",
    "A33": "response_time__category_3",
    "A36": "response_time__category_4",
    "A17": "incidents__no_face_to_face",
    "A53": "incidents__conveyed_to_ed",
    "A54": "incidents__conveyed_elsewhere",
    "A55": "incidents__not_conveyed",
}
# Publication date and months of each file.
ISSUES = ((dt.date(2024, 3, 14), MONTHS[:2]), (dt.date(2024, 4, 11), MONTHS))
COULD_NOT_COUNT = ("ZH5", dt.date(2024, 2, 1), ("A1", "A2"))
COLLECTED_LATER = (dt.date(2024, 1, 1), ("A12", "A36"))
# What the first file has more of.
RESTATED = {("ZH2", dt.date(2024, 1, 1), "A1"): 25}


def metric(item: str) -> str:
    """The metric of an item."""
    return f"{ITEMS[item]}__ambsys"


def ambulance_publications(england: England, seed: int) -> list[Publication]:
    """One publication a file, oldest first."""
    return [
        _publication(england, published, months, RESTATED if months is not MONTHS else {}, seed)
        for published, months in ISSUES
    ]


def _publication(
    england: England,
    published: dt.date,
    months: tuple[dt.date, ...],
    changes: dict[tuple[str, dt.date, str], int],
    seed: int,
) -> Publication:
    publication = Publication(FEED, published)
    for month in months:
        last = month_end(month)
        for service in england.ambulance_trusts:
            for item, value in _month(service.code, month, seed).items():
                silent = (service.code, month) == COULD_NOT_COUNT[:2] and item in COULD_NOT_COUNT[2]
                later = month == COLLECTED_LATER[0] and item in COLLECTED_LATER[1]
                said = None if later or silent else value + changes.get((service.code, month, item), 0)
                status = NOT_COLLECTED if later else None
                publication.say(metric(item), month, service.code, said, last, status=status)
    return publication


def _month(code: str, month: dt.date, seed: int) -> dict[str, int]:
    chance = random.Random(f"{seed}:{FEED}:{code}:{month}")
    incidents = chance.randint(38_000, 110_000)
    calls = round(incidents * chance.uniform(1.05, 1.2))
    categories = [round(incidents * share * chance.uniform(0.95, 1.05)) for share in (0.11, 0.53, 0.16, 0.006)]
    transported = round(categories[0] * 0.65)
    no_face_to_face = round(incidents * chance.uniform(0.11, 0.16))
    conveyed = round(incidents * chance.uniform(0.48, 0.53))
    elsewhere = round(incidents * chance.uniform(0.04, 0.06))
    seconds = [chance.randint(*mean) for mean in ((460, 560), (600, 700), (1500, 2600), (4800, 8900), (6000, 11000))]
    counted = (categories[0], transported, *categories[1:])
    values = [calls, calls * chance.randint(3, 8), incidents, *counted]
    values += [number * mean for number, mean in zip(counted, seconds, strict=True)]
    values += [no_face_to_face, conveyed, elsewhere, incidents - no_face_to_face - conveyed - elsewhere]
    return dict(zip(ITEMS, values, strict=True))
