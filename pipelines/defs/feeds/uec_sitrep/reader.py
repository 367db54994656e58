"""The winter workbook: declared worksheets, but for the zeros that mean "not reported"."""

from __future__ import annotations

from pipelines.domain.feeds import Feed, Known, Reading
from pipelines.domain.reading.sheets import read_sheets
from pipelines.domain.winter_zeros import zeros_not_reported


def read(content: bytes, feed: Feed, known: Known, file_name: str) -> Reading:
    """One issue of the winter workbook. Raises `Refused` with every place that does not fit."""
    reading = read_sheets(content, feed, known, file_name)
    return reading.model_copy(update={"rows": zeros_not_reported(reading.rows)})
