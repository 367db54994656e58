"""AmbSYS: a plain table of figures, but for the items that nobody had in a month: those were not collected."""

from __future__ import annotations

import polars as pl

from pipelines.domain.feeds import NOT_COLLECTED, Feed, Known, Reading
from pipelines.domain.reading.figures import NOT_AVAILABLE, read_figures


def read(content: bytes, feed: Feed, known: Known, file_name: str) -> Reading:
    """The months of a file, item by item. Raises `Refused` with every place that does not fit."""
    reading = read_figures(content, feed, known, file_name)
    return reading.model_copy(update={"rows": without_collection(reading.rows)})


def without_collection(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with the items that are not available to anybody in a month turned into not collected.

    The publication writes a full stop for both: an item that is not yet, or no longer, collected stands empty for
    England, every region and every service; a service that did not report stands empty among others that did.
    """
    nobody = (pl.col("value").is_null() & (pl.col("status_reason") == NOT_AVAILABLE)).all()
    return rows.with_columns(
        status=pl.when(nobody.over("metric_id", "period_start")).then(pl.lit(NOT_COLLECTED)).otherwise(pl.col("status"))
    )
