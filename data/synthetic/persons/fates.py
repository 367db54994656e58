"""What becomes of a record on its way: when each version is sent, what is wrong with it, and why it is refused.

A record is sent on the day on which it begins (then still open) and again on the day on which it ends. One in forty is
corrected weeks later, some are deleted, some of those come back. The planted errors are said here once, with the code
by which the contract refuses each (none: the row is kept).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from data.synthetic.persons.chance import Bools, Chance, Ints
from data.synthetic.persons.clock import DAY, NEVER, date_of, day_number, midnight

FAR = 1 << 40
# A departure so many days after arrival is refused.
TOO_LONG_DAYS = 9


class Fate(IntEnum):
    """What happens to the record; the order is that of the shares below."""

    PLAIN = 0
    CORRECTED = 1
    DELETED = 2
    REVIVED = 3
    DUPLICATE = 4
    CONFLICT = 5
    SWAPPED = 6
    CHECK_DIGIT = 7
    SENTINEL = 8
    NEGATIVE = 9
    TOO_OLD = 10
    UNBORN = 11
    HALF_PAIR = 12
    UNKNOWN_CODE = 13
    EMPTY_CODE = 14
    FUTURE = 15
    WRONG_OFFSET = 16
    TOO_LONG = 17
    BIRTH_SENTINEL = 18
    BROKEN = 19


# Of 10,000 records. Every error stays far under the twentieth at which a whole batch is refused.
SHARES: dict[Fate, int] = {
    Fate.CORRECTED: 250,
    Fate.DELETED: 40,
    Fate.REVIVED: 10,
    Fate.DUPLICATE: 25,
    Fate.CONFLICT: 8,
    Fate.SWAPPED: 12,
    Fate.CHECK_DIGIT: 15,
    Fate.SENTINEL: 8,
    Fate.NEGATIVE: 10,
    Fate.TOO_OLD: 6,
    Fate.UNBORN: 6,
    Fate.HALF_PAIR: 8,
    Fate.UNKNOWN_CODE: 8,
    Fate.EMPTY_CODE: 8,
    Fate.FUTURE: 8,
    Fate.WRONG_OFFSET: 8,
    Fate.TOO_LONG: 8,
    Fate.BIRTH_SENTINEL: 12,
    Fate.BROKEN: 8,
}
# Why the contract refuses the row; SWAPPED is worked out a row, the rest are kept.
REASONS: dict[Fate, str] = {
    Fate.CONFLICT: "conflicting_version",
    Fate.CHECK_DIGIT: "nhs_number_invalid",
    Fate.SENTINEL: "sentinel_date",
    Fate.NEGATIVE: "end_before_start",
    Fate.TOO_OLD: "age_implausible",
    Fate.UNBORN: "age_implausible",
    Fate.HALF_PAIR: "value_not_of_type",
    Fate.UNKNOWN_CODE: "code_not_permitted",
    Fate.EMPTY_CODE: "required_value_missing",
    Fate.FUTURE: "date_in_future",
    Fate.WRONG_OFFSET: "local_time_invalid",
    Fate.TOO_LONG: "interval_implausible",
    Fate.BROKEN: "row_unparsable",
}
ERRORS = frozenset({*REASONS, Fate.SWAPPED})
NEEDS_NUMBER = (Fate.CHECK_DIGIT,)
NEEDS_END = (Fate.NEGATIVE, Fate.SWAPPED, Fate.HALF_PAIR, Fate.TOO_LONG)


@dataclass
class Sent:
    """Rows of one file: which record each is of, in the order in which they stand.

    `day` is the submission date. `is_first_wording` marks what a later version corrects; `is_latest` the row that
    counts among those of this file; `copy` tells rows of one record apart.
    """

    row: Ints
    copy: Ints
    version: Ints
    day: Ints
    fate: Ints
    is_deletion: Bools
    is_first_wording: Bools
    is_latest: Bools


@dataclass
class Course:
    """When what of each record is sent; FAR where it never is."""

    fate: Ints
    began: Ints
    ended: Ints
    corrected: Ints
    deleted: Ints
    revived: Ints
    early_deletion: Bools


def swapped(day: int) -> tuple[str, int | None]:
    """The date with day and month changed places, and its number; none where there is no such day."""
    right = date_of(day)
    text = f"{right.year}-{right.day:02d}-{right.month:02d}"
    return text, day_number(right.replace(month=right.day, day=right.month)) if right.day <= 12 else None


def swap_reason(start: int, end: int, longest: int) -> str | None:
    """Why a row whose first day was swapped is refused; None where the swap cannot be told from a true date.

    The row is sent on its last day. `longest` is how many days may lie between the two.
    """
    said = swapped(start)[1]
    if said is None:
        return "value_not_of_type"
    if said > end:
        return "date_in_future"
    return "interval_implausible" if end - said > longest + 1 else None


def courses(
    chance: Chance,
    ids: Ints,
    start: Ints,
    end: Ints,
    cut: int,
    allowed: frozenset[Fate],
    has_number: Bools,
    longest: int,
) -> Course:
    """The course of each record from its first and last local day (`end` NEVER: it does not end).

    `cut` is the last day of the back-file: an error is planted only where the record is sent in one file, so that what
    is refused is not there. `longest` is how many days a record may last before it is refused.
    """
    table = np.zeros(10_000, dtype=np.int64)
    place = 0
    for fate, share in SHARES.items():
        if fate in allowed:
            table[place : place + share] = int(fate)
            place += share
    fate = table[chance.below("fate", ids, 10_000)]
    ended = np.where(end == NEVER, FAR, end)
    once = (ended <= cut) | (ended <= start) | (ended == FAR)
    for needs in NEEDS_NUMBER:
        once &= (fate != needs) | has_number
    for needs in NEEDS_END:
        once &= (fate != needs) | (ended < FAR)
    change = (midnight(start + 1) - midnight(start)) != DAY
    once &= ~(change & (fate >= Fate.SWAPPED))
    once &= (fate != Fate.TOO_LONG) | (start + TOO_LONG_DAYS < cut)
    fate = np.where(once | (fate < Fate.DUPLICATE), fate, Fate.PLAIN)
    swap = np.flatnonzero(fate == Fate.SWAPPED)
    reasons = np.array(
        [
            swap_reason(int(first), int(last), longest) is not None
            for first, last in zip(start[swap], ended[swap], strict=True)
        ],
        dtype=bool,
    )
    fate[swap[~reasons]] = Fate.PLAIN
    last = np.where(ended == FAR, start, ended)
    later = np.where(fate == Fate.CORRECTED, last + 14 + chance.below("weeks", ids, 50), FAR)
    deleted = np.where((fate == Fate.DELETED) | (fate == Fate.REVIVED), last + 3 + chance.below("regret", ids, 40), FAR)
    revived = np.where(fate == Fate.REVIVED, deleted + 1 + chance.below("again", ids, 9), FAR)
    return Course(
        fate, start, np.where(ended > start, ended, FAR), later, deleted, revived, chance.happens("early", ids, 0.4)
    )


def sent_until(course: Course, cut: int, older: Bools) -> Sent:
    """The back-file of the day `cut`: of each record its latest version, and before it those of `older` corrections."""
    return _sent(course, -FAR, cut, older)


def sent_on(course: Course, day: int) -> Sent:
    """The daily file."""
    return _sent(course, day - 1, day, np.ones(len(course.fate), dtype=bool))


def _sent(course: Course, after: int, until: int, older: Bools) -> Sent:
    is_back_file = after == -FAR
    count = len(course.fate)
    has_end = (course.ended < FAR).astype(np.int64)
    # Version of each event.
    steps = (
        (course.began, np.ones(count, dtype=np.int64), False),
        (course.ended, np.full(count, 2), False),
        (course.corrected, 2 + has_end, False),
        (course.deleted, 2 + has_end, True),
        (course.revived, 3 + has_end, False),
    )
    parts = []
    for number, (day, version, is_deletion) in enumerate(steps):
        wanted = (day > after) & (day <= until)
        # Later events of the same file: a back-file keeps the row before only of deletions and of some corrections.
        superseded = np.zeros(count, dtype=bool)
        for later_day, _, _ in steps[number + 1 :]:
            superseded |= later_day <= until
        if is_back_file and number == 0:
            wanted &= (course.ended > until) & ~((course.corrected <= until) & ~older)
        if is_back_file and number == 1:
            wanted &= ~((course.corrected <= until) & ~older)
        rows = np.flatnonzero(wanted)
        parts.append(
            Sent(
                rows,
                np.where(is_deletion & course.early_deletion[rows], 0, number + 1),
                version[rows],
                day[rows],
                course.fate[rows],
                np.full(len(rows), is_deletion),
                (course.fate[rows] == Fate.CORRECTED) & (number < 2),
                ~superseded[rows],
            )
        )
    # A copy of the row, or one that contradicts it.
    for kind in (Fate.DUPLICATE, Fate.CONFLICT):
        for part in parts[:2]:
            twice = np.flatnonzero(part.fate == kind)
            parts.append(
                Sent(
                    part.row[twice],
                    part.copy[twice] + 10,
                    part.version[twice],
                    part.day[twice],
                    part.fate[twice],
                    part.is_deletion[twice],
                    np.full(len(twice), kind == Fate.CONFLICT),
                    np.zeros(len(twice), dtype=bool),
                )
            )
    columns = [np.concatenate([getattr(part, name) for part in parts]) for name in Sent.__annotations__]
    order = np.lexsort((columns[1], columns[0]))
    return Sent(*(column[order] for column in columns))
