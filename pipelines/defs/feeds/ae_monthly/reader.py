"""A&E monthly: a plain table of figures, but for the zeros that mean "not reported"."""

from __future__ import annotations

from pipelines.domain.feeds import Feed, Known, Reading
from pipelines.domain.field_test import breaches_not_reported
from pipelines.domain.reading.figures import read_figures


def read(content: bytes, feed: Feed, known: Known, file_name: str) -> Reading:
    """One month of the provider return. Raises `Refused` with every place that does not fit."""
    reading = read_figures(content, feed, known, file_name)
    return reading.model_copy(update={"rows": breaches_not_reported(reading.rows)})
