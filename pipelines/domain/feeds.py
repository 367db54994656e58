"""What a feed is: every fact about it, stated once in its `defs.yaml` and checked here."""

from __future__ import annotations

import datetime as dt
from typing import Literal, Self

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipelines.domain.persons.declaration import Records
from pipelines.domain.strict import Strict

ColumnType = Literal["text", "code", "integer", "number", "date"]
Role = Literal["org_code", "org_name", "region", "icb", "period", "year", "month", "quarter"]
Use = Literal["key", "figure", "attribute", "ignored"]
# What dates a figure: a day in the header or above it, its row, or the preamble's period: the whole of it, the last
# Thursday in it, or its last day; or the day before the first day in the header, for what stands there in one sum.
Dating = Literal["day", "row", "period", "last_thursday", "last_day", "before_first_day"]

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
PROVISIONAL = "provisional"
NOT_REPORTED = "not_reported"
NOT_COLLECTED = "not_collected"


class Column(Strict):
    """A column of a publication: what it is called there, what it becomes here, what it means.

    `matches` stands for many columns that no mart needs: a pattern of their header texts. A `metric_id` with `{band}`
    is one metric for each of the feed's bands.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    meaning: str
    use: Use = "attribute"
    type: ColumnType = "text"
    sensitivity: Literal["public", "contact_detail"] = "public"
    aliases: tuple[str, ...] = ()
    matches: str | None = None
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
        if self.matches is not None and (self.use != "ignored" or self.required):
            raise ValueError(f"column {self.name}: a pattern of headers is for columns that are ignored, not required")
        if not self.aliases and self.matches is None and self.position is None:
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


class FigureColumn(Strict):
    """The columns of a worksheet that hold one measure: known by their label and by the heading above it, if any.

    Without a `metric_id` no mart needs them. A `metric_id` with `{band}` takes every label that is an age band.
    """

    labels: tuple[str, ...] = ()
    headings: tuple[str, ...] = ()
    metric_id: str | None = None
    dated_by: Dating | None = None
    required: bool = True

    @model_validator(mode="after")
    def _known_by_something(self) -> Self:
        if bool(self.labels) == ("{band}" in (self.metric_id or "")):
            raise ValueError(f"column of {self.metric_id}: known either by its labels or by the age band in its label")
        return self


class SheetOfFigures(Strict):
    """A worksheet of figures: known by its name, or by the title or summary that its preamble states.

    `keys` name the columns of the feed that tell whose a row is and, when rows are dated, of when. A column headed by a
    day holds `metric_id`; others are found among `columns`. The rows are figures, or printed totals of another sheet's.
    """

    names: tuple[str, ...]
    summaries: tuple[str, ...] = ()
    must_say: str | None = None
    rows: Literal["organisations", "regions", "icbs", "nation"] = "organisations"
    hold: Literal["figures", "printed_totals"] = "figures"
    keys: tuple[str, ...]
    dated_by: Dating = "day"
    metric_id: str | None = None
    columns: tuple[FigureColumn, ...] = ()
    provisional_last_days: int = 0

    @property
    def metric_ids(self) -> tuple[str, ...]:
        """The metrics that stand on the sheet, `{band}` not filled in."""
        ids = [self.metric_id, *(column.metric_id for column in self.columns)]
        return tuple(metric_id for metric_id in ids if metric_id)


class Era(Strict):
    """A layout of the publication that is not read, and what gives it away.

    `sheets` are names of worksheets, `says` words in a title or summary, `labels` header texts; `before` the first day
    that is read.
    """

    era: str
    sheets: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    before: dt.date | None = None


class Miscoded(Strict):
    """An organisation that issues of the publication list under the code of another; its name tells them apart."""

    org_code: str
    org_name: str
    means: str
    reason: str


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
    kind: Literal["figures", "organisations", "persons"]
    format: Literal["csv", "workbook", "json", "records"]
    delimiter: str = ","
    quoted: bool = True
    encodings: tuple[str, ...] = ("utf-8-sig",)
    has_header: bool = True
    has_total_row: bool = False
    # What stands in a cell whose figure is not available.
    not_available: tuple[str, ...] = ()
    # What `{band}` in a metric_id may be, such as age bands.
    bands: tuple[str, ...] = ()
    cadence: Cadence
    columns: tuple[Column, ...] = ()
    # Of a person-level feed (kind `persons`): its columns and what a record is.
    records: Records | None = None
    layouts: tuple[Layout, ...] = ()
    sheets: tuple[SheetOfFigures, ...] = ()
    # Names in the place of an organisation that are nobody's in particular, such as `Other`: their rows are not read.
    nobody: tuple[str, ...] = ()
    miscoded: tuple[Miscoded, ...] = ()
    # Worksheets that no mart needs.
    sheets_not_needed: tuple[str, ...] = ()
    not_read: tuple[Era, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.kind == "persons") != (self.records is not None) or (self.records is None) != bool(self.columns):
            raise ValueError(f"feed {self.feed}: a person-level feed, and no other, declares records; others columns")
        names = [column.name for column in self.columns]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"feed {self.feed}: columns declared twice: {', '.join(sorted(twice))}")
        for sheet in self.sheets:
            if unknown := set(sheet.keys) - set(names):
                raise ValueError(f"feed {self.feed}, sheet {sheet.names[0]}: unknown keys {', '.join(sorted(unknown))}")
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
        ids = [column.metric_id for column in self.figures]
        ids += [metric_id for sheet in self.sheets for metric_id in sheet.metric_ids]
        return tuple(dict.fromkeys(one for metric_id in ids if metric_id for one in self._by_band(metric_id)))

    def _by_band(self, metric_id: str) -> tuple[str, ...]:
        if "{band}" not in metric_id:
            return (metric_id,)
        return tuple(metric_id.format(band=band) for band in self.bands)

    def accepted_schema(self) -> dict[str, pl.DataType]:
        """Columns and types of the feed's rows in the accepted zone; of a person-level feed `records` has them."""
        if self.kind == "figures":
            return dict(FIGURES)
        loaded = {column.name: POLARS_TYPES[column.type] for column in self.columns if column.use != "ignored"}
        return {"batch": pl.String(), **loaded, "source_row": pl.Int32()}


class Known(Strict):
    """What the reader may lean on: regions and ICBs by the names publications give them, the day of receipt."""

    regions: dict[str, str]
    icbs: dict[str, str] = Field(default_factory=dict)
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
