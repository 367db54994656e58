"""What a feed is: every fact about it, stated once in its `defs.yaml` and checked here."""

from __future__ import annotations

import datetime as dt
from typing import Literal, Self

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, model_validator

ColumnType = Literal["text", "code", "integer", "number", "date"]
Role = Literal["org_code", "org_name", "region", "period"]
Use = Literal["key", "figure", "attribute", "ignored"]

POLARS_TYPES: dict[ColumnType, pl.DataType] = {
    "text": pl.String(),
    "code": pl.String(),
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "date": pl.Date(),
}

# One published cell a row; the same for every feed of figures.
FIGURES: dict[str, pl.DataType] = {
    "batch": pl.String(),
    "record": pl.String(),
    "org_code": pl.String(),
    "org_name": pl.String(),
    "region_code": pl.String(),
    "metric_id": pl.String(),
    "period_start": pl.Date(),
    "period_end": pl.Date(),
    "value": pl.Float64(),
    "status": pl.String(),
    "status_reason": pl.String(),
    "source_sheet": pl.String(),
    "source_row": pl.Int32(),
    "source_column": pl.String(),
}

PROVIDER = "provider"
PUBLISHED_NATION = "published_nation"
PUBLISHED_REGION = "published_region"
REPORTED = "reported"
NOT_REPORTED = "not_reported"


class Strict(BaseModel):
    """A declaration in YAML: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(Strict):
    """A column of a publication: what it is called there, what it becomes here, what it means."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    meaning: str
    use: Use = "attribute"
    type: ColumnType = "text"
    sensitivity: Literal["public", "contact_detail"] = "public"
    aliases: tuple[str, ...] = ()
    position: int | None = None
    role: Role | None = None
    metric_id: str | None = None
    pattern: str | None = None
    formats: tuple[str, ...] = ()
    required: bool = True
    may_be_empty: bool = False

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.use == "figure") != (self.metric_id is not None):
            raise ValueError(f"column {self.name}: a figure, and only a figure, names its metric_id")
        if not self.aliases and self.position is None:
            raise ValueError(
                f"column {self.name}: say how the publication calls it (aliases) or where it stands (position)"
            )
        if self.sensitivity == "contact_detail" and self.use != "ignored":
            raise ValueError(f"column {self.name}: a contact detail is not needed by any mart, so it is not loaded")
        return self


class Layout(Strict):
    """One era of a publication: exactly these columns; `marked_by` is a header text found in it alone."""

    name: str
    era: str
    columns: tuple[str, ...]
    marked_by: str | None = None


class SheetOfFigures(Strict):
    """A worksheet that holds one measure: known by its name or by the summary that it states."""

    metric_id: str
    names: tuple[str, ...]
    summaries: tuple[str, ...]


class Cadence(Strict):
    """How often a publication comes and how many days after its period it may come before it is late."""

    every: Literal["day", "week", "month", "quarter", "year"]
    late_after_days: int

    @property
    def fresh_for(self) -> dt.timedelta:
        """How long after a publication's period (its receipt, for lists) the next one is awaited."""
        days = {"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}
        return dt.timedelta(days=days[self.every] + self.late_after_days)


class Feed(Strict):
    """A feed: one publication of one supplier. The YAML that holds it is the only place for these facts."""

    feed: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    description: str
    supplier: str
    publication: str
    owner: str
    agreement: str | None = None
    kind: Literal["figures", "organisations"]
    format: Literal["csv", "workbook"]
    delimiter: str = ","
    quoted: bool = True
    encodings: tuple[str, ...] = ("utf-8-sig",)
    has_header: bool = True
    has_total_row: bool = False
    cadence: Cadence
    columns: tuple[Column, ...]
    layouts: tuple[Layout, ...] = ()
    sheets: tuple[SheetOfFigures, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [column.name for column in self.columns]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"feed {self.feed}: columns declared twice: {', '.join(sorted(twice))}")
        for layout in self.layouts:
            unknown = set(layout.columns) - set(names)
            if unknown:
                raise ValueError(
                    f"feed {self.feed}, layout {layout.name}: unknown columns {', '.join(sorted(unknown))}"
                )
        return self

    @property
    def figures(self) -> tuple[Column, ...]:
        """The columns that hold figures."""
        return tuple(column for column in self.columns if column.use == "figure")

    @property
    def metric_ids(self) -> tuple[str, ...]:
        """Every base metric that the feed may carry."""
        ids = [column.metric_id for column in self.figures] + [sheet.metric_id for sheet in self.sheets]
        return tuple(metric_id for metric_id in ids if metric_id)

    def accepted_schema(self) -> dict[str, pl.DataType]:
        """Columns and types of the feed's rows in the accepted zone."""
        if self.kind == "figures":
            return dict(FIGURES)
        loaded = {column.name: POLARS_TYPES[column.type] for column in self.columns if column.use != "ignored"}
        return {"batch": pl.String(), **loaded, "source_row": pl.Int32()}


class Known(Strict):
    """What the reader may lean on: regions by the names publications give them, ICB codes, the day of receipt."""

    regions: dict[str, str]
    icb_codes: frozenset[str]
    received_on: dt.date


class Reading(BaseModel):
    """What a reader makes of a file: typed rows, and what the file says about itself."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    rows: pl.DataFrame
    layout: str
    published_on: dt.date | None = None
    period_start: dt.date | None = None
    period_end: dt.date | None = None
    not_loaded: tuple[str, ...] = ()
