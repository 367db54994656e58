"""Quantiles, survival and rates, and the rows of a mart."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Row = dict[str, Any]


def quantile(values: Iterable[float], share: float) -> float | None:
    """Linear interpolation between ranks: of n ordered values the one at place share * (n - 1), counted from 0."""
    ordered = sorted(values)
    if not ordered:
        return None
    place = share * (len(ordered) - 1)
    below = int(place)
    if below == len(ordered) - 1:
        return float(ordered[below])
    return ordered[below] + (ordered[below + 1] - ordered[below]) * (place - below)


def kaplan_meier_median(ended: list[int], censored: list[int]) -> int | None:
    """The least whole n at which half or fewer are estimated to remain; ends come before censorings at equal n."""
    remaining = 1.0
    for n in range(max([*ended, *censored], default=-1) + 1):
        at_risk = sum(1 for one in [*ended, *censored] if one >= n)
        remaining *= 1 - ended.count(n) / at_risk
        if remaining <= 0.5 + 1e-9:
            return n
    return None


def rate(part: int, whole: int) -> float | None:
    """Part of a whole, null where there is no whole."""
    return part / whole if whole else None
