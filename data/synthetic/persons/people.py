"""Who lives in the synthetic England: everything about a person follows from the seed and the person's number.

Only numbers of the 999 range are given out, which nobody has. There are a million of them, ten of eleven valid: when
more people are asked for, those beyond are people without a number. Their records come without one, as those of
people whose number was not found do, and they have no registration, no care home and no opt-out; so that records with
a number stay the rule, people who have one then come more often (`known_share`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from data.synthetic.persons.chance import Bools, Chance, Ints, choices
from data.synthetic.persons.places import Places

NUMBERS_IN_RANGE = 1_000_000
RANGE_BEGINS = 999_000_000
# Of a hundred people: how many are in each ten years of age, from 0-9 to 90-99.
_AGES = choices([11.9, 11.3, 13.1, 13.3, 12.6, 13.4, 11.0, 8.6, 4.0, 0.8])
YEAR = 365


def valid_numbers(wanted: int) -> Ints:
    """The first numbers of the test range whose Modulus 11 check digit exists; at most all of them."""
    first = min(NUMBERS_IN_RANGE, wanted * 11 // 10 + 40)
    stems = np.arange(RANGE_BEGINS, RANGE_BEGINS + first, dtype=np.int64)
    total = np.zeros(first, dtype=np.int64)
    rest = stems.copy()
    for weight in range(2, 11):
        total += weight * (rest % 10)
        rest //= 10
    check = 11 - total % 11
    check[check == 11] = 0
    return (stems * 10 + check)[check < 10][:wanted]


@dataclass(frozen=True)
class People:
    """So many people; `today` is the day number on which ages are as in England."""

    seed: int
    count: int
    today: int
    places: Places

    @cached_property
    def chance(self) -> Chance:
        """Draws about people."""
        return Chance(self.seed, "people")

    @cached_property
    def numbers(self) -> Ints:
        """NHS number of each person who has one, in the order of people."""
        return valid_numbers(self.count)

    @property
    def numbered(self) -> int:
        """How many have a number: the first so many."""
        return len(self.numbers)

    def drawn(self, chance: Chance, ids: Ints, known_share: float) -> Ints:
        """A person for each record; with more people than numbers, `known_share` of them have one."""
        if self.count <= self.numbered:
            return chance.below("person", ids, self.count)
        known = chance.happens("known", ids, known_share)
        return np.where(
            known,
            chance.below("person", ids, self.numbered),
            self.numbered + chance.below("stranger", ids, self.count - self.numbered),
        )

    def birth_day(self, person: Ints) -> Ints:
        """Day of birth; about one in 400 was born on the last days before `today`."""
        decade = self.chance.choose("decade", person, _AGES)
        return self.today - decade * 10 * YEAR - decade * 2 - self.chance.below("birthday", person, 10 * YEAR)

    def age(self, person: Ints, day: Ints) -> Ints:
        """About how old in years."""
        return np.maximum(0, (day - self.birth_day(person)) // YEAR)

    def practice(self, person: Ints) -> Ints:
        """The practice first registered with."""
        return self.chance.below("practice", person, len(self.places.practices))

    def area(self, person: Ints) -> Ints:
        """Home area: that of the first practice."""
        return self.places.area_of_practice[self.practice(person)]

    def has_number(self, person: Ints) -> Bools:
        """Whether the person has an NHS number."""
        return person < self.numbered
