"""Lists of people: who is registered with which practice, lives in which care home, has opted out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.synthetic.persons.chance import Chance, Ints
from data.synthetic.persons.clock import NEVER
from data.synthetic.persons.people import People

HOMES = tuple(f"1-9990{number:04d}" for number in range(1, 41))


@dataclass
class Periods:
    """From `start` to before `end` (NEVER: still) somebody was with `place`."""

    id: Ints
    person: Ints
    place: Ints
    start: Ints
    end: Ints


def registrations(people: People, begin: int, end: int, first: int, last: int) -> Periods:
    """Registrations of some people: three in a hundred have none, some move, some are with two practices at once."""
    draw = Chance(people.seed, "registrations")
    person = np.arange(begin, end, dtype=np.int64)
    count = len(people.places.practices)
    registered = ~draw.happens("nowhere", person, 0.03)
    moves = registered & draw.happens("moves", person, 0.06)
    moved_on = first + draw.below("moved", person, last - first)
    joined = np.maximum(people.birth_day(person) + 20, first - 30 - draw.below("joined", person, 6000))
    left_open = draw.happens("left open", person, 0.2)
    gone = registered & ~moves & draw.happens("gone", person, 0.01)
    until = np.where(moves & ~left_open, moved_on, np.where(gone, moved_on, NEVER))
    practice = people.practice(person)
    second = np.flatnonzero(moves)
    new = (practice[second] + 1 + draw.below("new", second + begin, count - 1)) % count
    # Written down by both on one day.
    started = np.where(draw.happens("same day", second + begin, 0.02), joined[second], moved_on[second])
    one = np.flatnonzero(registered)
    ids = np.concatenate([person[one] * 2, person[second] * 2 + 1])
    order = np.argsort(ids, kind="stable")
    return Periods(
        ids[order],
        np.concatenate([person[one], person[second]])[order],
        np.concatenate([practice[one], new])[order],
        np.concatenate([joined[one], started])[order],
        np.concatenate([until[one], np.full(len(second), NEVER)])[order],
    )


def residencies(people: People, begin: int, end: int, first: int, last: int) -> Periods:
    """Who lives or lived in a care home: one in eight of those over 80."""
    draw = Chance(people.seed, "residencies")
    person = np.arange(begin, end, dtype=np.int64)
    lives = draw.happens("lives", person, np.where(people.age(person, first) >= 80, 0.125, 0.0006))
    person = person[lives]
    started = np.maximum(people.birth_day(person) + 20, first - 700 + draw.below("since", person, 900))
    ended = np.where(draw.happens("left", person, 0.3), started + 30 + draw.below("until", person, 500), NEVER)
    return Periods(person, person, draw.below("home", person, len(HOMES)), np.minimum(started, last), ended)


def opt_outs(people: People, begin: int, end: int, first: int) -> Periods:
    """Who opted out, and when: three in a hundred."""
    draw = Chance(people.seed, "opt-outs")
    person = np.arange(begin, end, dtype=np.int64)
    person = person[draw.happens("opts out", person, 0.03)]
    return Periods(
        person,
        person,
        np.zeros(len(person), dtype=np.int64),
        first - 10 - draw.below("when", person, 600),
        np.full(len(person), NEVER),
    )
