"""Workbooks of figures: each declared worksheet becomes one row per published cell.

A worksheet is known by its name or by what its preamble says, never by its number; its header by its content
(`headers`). The nation and the regions, printed among organisations, are published totals: the check, never a figure.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import polars as pl

from pipelines.domain import gates
from pipelines.domain.feeds import (
    FIGURES,
    NOT_REPORTED,
    PROVIDER,
    PROVISIONAL,
    PUBLISHED_NATION,
    PUBLISHED_REGION,
    REPORTED,
    Column,
    Feed,
    Known,
    Reading,
    SheetOfFigures,
)
from pipelines.domain.reading import headers, periods, preamble, values
from pipelines.domain.reading.cells import Cell, Line, Sheet, fold, is_blank, letter, text
from pipelines.domain.reading.figures import ODS_CODE, TOTAL_LABELS
from pipelines.domain.reading.headers import Table, cell_of
from pipelines.domain.reading.workbook import read_workbook
from pipelines.domain.refusals import MOST_LINES, Reason, Refused, printable, refuse

LAGGED_TAIL = "lagged_tail"
HEAD = ("record", "org_code", "org_name", "region_code", "source_row", "period_start", "period_end")
# What makes a figure one; two worksheets that print it must print the same.
IDENTITY = ["record", "org_code", "region_code", "metric_id", "period_start", "period_end"]
# Sums of thousands of fractions, made in different orders, differ by this much of themselves.
NOISE = 1e-9


def read_sheets(content: bytes, feed: Feed, known: Known, file_name: str) -> Reading:
    """Every declared worksheet of a workbook. Raises `Refused` with every place that does not fit."""
    return figures_of(read_workbook(content), feed, known, file_name)


def figures_of(sheets: Sequence[Sheet], feed: Feed, known: Known, file_name: str) -> Reading:
    """Every declared worksheet as one row per published cell. Raises `Refused` with every place that does not fit."""
    tables: list[Table] = []
    not_loaded: list[str] = []
    for sheet in sheets:
        _refuse_other_eras(sheet, feed)
        positions = {keys: headers.find(sheet, _columns(keys, feed)) for keys in {one.keys for one in feed.sheets}}
        first = min((position for position in positions.values() if position is not None), default=None)
        declared = _declared(sheet, sheet.lines[:first], feed)
        if declared is None:
            if fold(sheet.name or "") in {fold(name) for name in feed.sheets_not_needed}:
                continue
            not_loaded.append(f"sheet {printable(sheet.name or '')}: {_why_not_loaded(first)}")
            continue
        if any(table.declared == declared for table in tables):
            raise refuse(f"a second sheet for {declared.names[0]}", sheet=sheet.name)
        position = positions[declared.keys]
        if position is None:
            raise headers.without_header(sheet, declared, _columns(declared.keys, feed))
        tables.append(headers.table(sheet, declared, feed, position))
    if not tables:
        example = feed.sheets[0].names[0]
        raise refuse(f"no sheet holds the provider table of {feed.feed}, such as {example}: is it this publication?")
    published = {preamble.published_on(table.sheet, table.above) for table in tables} - {None}
    if len(published) > 1:
        raise refuse("the sheets state different publication dates")
    frames = [_figures(table, known) for table in tables]
    _refuse_if_any([reason for table in tables for reason in table.reasons])
    for table in tables:
        not_loaded += [f"sheet {printable(table.sheet.name or '')}, {note}" for note in dict.fromkeys(table.notes)]
    rows = _printed_once(pl.concat(frames), tables)
    start, end = rows.select(pl.col("period_start").min(), pl.col("period_end").max()).row(0)
    for era in feed.not_read:
        if era.before and start < era.before:
            raise refuse(f"figures before {era.before}: a layout of another era ({era.era}), which is not read")
    return Reading(
        rows=rows,
        layout=f"{len(tables)} sheets",
        published_on=next(iter(published), None) or values.revised_in_name(file_name),
        period_start=start,
        period_end=end,
        not_loaded=tuple(not_loaded),
    )


def _refuse_if_any(reasons: Sequence[Reason]) -> None:
    if reasons:
        raise Refused(*reasons)


def _refuse_other_eras(sheet: Sheet, feed: Feed) -> None:
    """A layout that is known and not read is named, so that nobody looks for a fault in the file."""
    first = sheet.lines[: headers.SEARCHED_FOR_HEADER]
    said = preamble.title_and_summary(first)
    labels = {fold(cell) for line in first for cell in line.cells if isinstance(cell, str)}
    for era in feed.not_read:
        if (
            fold(sheet.name or "") in {fold(name) for name in era.sheets}
            or any(fold(words) in sentence for words in era.says for sentence in said)
            or labels & {fold(label) for label in era.labels}
        ):
            raise refuse(f"a layout of another era ({era.era}), which is not read", sheet=sheet.name)


def _declared(sheet: Sheet, above: Sequence[Line], feed: Feed) -> SheetOfFigures | None:
    """What the sheet's name or its preamble declares; they may not contradict each other."""
    said = preamble.title_and_summary(above)
    by_name = [one for one in feed.sheets if fold(sheet.name or "") in {fold(name) for name in one.names}]
    by_summary = [one for one in feed.sheets if said & {fold(summary) for summary in one.summaries}]
    if by_name and by_summary and by_name[0] not in by_summary:
        raise refuse(
            f"the sheet's name says {by_name[0].names[0]}, its summary {by_summary[0].names[0]}", sheet=sheet.name
        )
    found = next(iter(by_name or by_summary), None)
    if found and found.must_say and not any(fold(found.must_say) in sentence for sentence in said):
        raise refuse(f"neither title nor summary says {found.must_say!r}: another publication?", sheet=sheet.name)
    return found


def _why_not_loaded(header: int | None) -> str:
    return "no provider table" if header is None else "a measure that is not declared"


def _columns(keys: Sequence[str], feed: Feed) -> list[Column]:
    return [column for column in feed.columns if column.name in keys]


def _figures(table: Table, known: Known) -> pl.DataFrame:
    """The table as one row per cell; what does not fit goes to the table's reasons."""
    heads: list[dict[str, Any]] = []
    cells: dict[int, list[float | None]] = {index: [] for index in table.columns}
    for line in table.body:
        head = _head(table, line, known)
        if head is None:
            continue
        heads.append(head)
        for index, column in cells.items():
            column.append(_number(table, line, index))
        if len(table.reasons) > MOST_LINES:
            break
    _expect_rows(table, [head["record"] for head in heads], [head["org_code"] for head in heads])
    if table.reasons:
        return pl.DataFrame(schema=FIGURES).drop("batch")
    wide = pl.DataFrame(heads, schema={name: FIGURES[name] for name in HEAD}).with_columns(
        pl.Series(letter(index), column, dtype=pl.Float64) for index, column in cells.items()
    )
    columns = pl.DataFrame(
        [
            (letter(index), held.metric_id, *(held.period or (None, None)))
            for index, held in sorted(table.columns.items())
        ],
        schema={"source_column": pl.String, "metric_id": pl.String, "first_day": pl.Date, "last_day": pl.Date},
        orient="row",
    )
    return (
        wide.unpivot(index=HEAD, variable_name="source_column", value_name="value")
        .join(columns, on="source_column", how="left", maintain_order="left")
        .with_columns(
            period_start=pl.coalesce("first_day", "period_start"),
            period_end=pl.coalesce("last_day", "period_end"),
            source_sheet=pl.lit(table.sheet.name),
        )
        .with_columns(**states(table.declared.provisional_last_days))
        .select([name for name in FIGURES if name != "batch"])
    )


def states(provisional_last_days: int) -> dict[str, pl.Expr]:
    """The state of each figure and its reason, from `value` and `period_end`.

    Empty is not reported. Figures of the last days of the sheet are provisional where the definition says that they
    will change (community admissions lagged by up to seven days: the last five days).
    """
    tail = pl.col("period_end") > pl.col("period_end").max() - dt.timedelta(days=provisional_last_days)
    provisional = tail & pl.col("value").is_not_null()
    return {
        "status": pl.when(pl.col("value").is_null())
        .then(pl.lit(NOT_REPORTED))
        .when(provisional)
        .then(pl.lit(PROVISIONAL))
        .otherwise(pl.lit(REPORTED)),
        "status_reason": pl.when(provisional).then(pl.lit(LAGGED_TAIL)),
    }


def _number(table: Table, line: Line, index: int) -> float | None:
    cell = cell_of(line, index)
    # Nearly every cell is a plain number or empty.
    if type(cell) is float and -values.LARGEST < cell < values.LARGEST:
        return cell
    try:
        return values.number(cell, table.feed.not_available)
    except values.NotThis as error:
        table.add(str(error), line, index)
        return None


def _head(table: Table, line: Line, known: Known) -> dict[str, Any] | None:
    """Whose a line is, and of when if rows are dated; None for a line of notes."""
    filled = any(not is_blank(cell_of(line, index)) for index in table.columns)
    if {fold(text(cell)) for cell in table.keys_of(line)} & {fold(name) for name in table.feed.nobody}:
        return None
    try:
        whose = _WHOSE[table.declared.rows](table, line, known, filled)
        if whose is None:
            return None
        head = dict.fromkeys(HEAD) | {"record": PROVIDER, "source_row": line.number} | whose
        if any(held.period is None for held in table.columns.values()):
            head["period_start"], head["period_end"] = _period_of_row(table, line)
    except values.NotThis as error:
        table.add(str(error), line)
        return None
    return head


def _period_of_row(table: Table, line: Line) -> periods.Period:
    year = table.key(line, "year")
    if (end := table.key(line, "quarter")) is not None:
        return periods.quarter(year, end)
    if (number := table.key(line, "month")) is not None:
        return values.month_of_year(year, number)
    return periods.month(table.key(line, "period"))


def _is_nation(cell: Cell) -> bool:
    return fold(text(cell)) in TOTAL_LABELS or text(cell) == gates.NATION


def _organisation(table: Table, line: Line, known: Known, filled: bool) -> dict[str, Any] | None:
    """An organisation has a code; ENGLAND and the regions have a name only, or a code of their own."""
    code, name = text(table.key(line, "org_code")), table.key(line, "org_name")
    if not code or code == gates.NATION:
        if _is_nation(name):
            return {"record": PUBLISHED_NATION}
        if not filled:
            return None
        region = values.region(name, known.regions)
        if region is None:
            raise values.NotThis("figures of nobody: neither a code nor the name of a region")
        return {"record": PUBLISHED_REGION, "region_code": region}
    if not filled and " " in code:
        return None  # a footnote that stands in the code column
    if code in known.regions.values():
        return {"record": PUBLISHED_REGION, "region_code": code}
    pattern = next((c.pattern for c in table.feed.columns if c.role == "org_code" and c.pattern), ODS_CODE)
    found = {
        "org_code": values.code(code, pattern),
        "org_name": values.name(name),
        "region_code": values.region(table.key(line, "region"), known.regions),
    }
    if found["org_name"] is None:
        raise values.NotThis("org_name: empty where a value is due")
    for wrong in table.feed.miscoded:
        if (found["org_code"], fold(text(name))) == (wrong.org_code, fold(wrong.org_name)):
            table.notes.append(f"row {line.number}: code {wrong.org_code} read as {wrong.means}, {wrong.reason}")
            found["org_code"] = wrong.means
    return found


def _region(table: Table, line: Line, known: Known, filled: bool) -> dict[str, Any] | None:
    """The nation or a region, by its code or name."""
    if not filled:
        return None
    region, name = table.key(line, "region"), table.key(line, "org_name")
    if _is_nation(region) or (region is None and _is_nation(name)):
        return _area(table, PUBLISHED_NATION, gates.NATION, name or region, None)
    code = values.region(region, known.regions) or values.region(name, known.regions)
    if code is None:
        raise values.NotThis("figures of nobody: no region is named")
    return _area(table, PUBLISHED_REGION, code, name or region, code)


def _icb(table: Table, line: Line, known: Known, filled: bool) -> dict[str, Any] | None:
    """The nation, or an integrated care system by its name."""
    if not filled:
        return None
    region, name = table.key(line, "region"), table.key(line, "icb")
    if _is_nation(region) or _is_nation(name):
        return _area(table, PUBLISHED_NATION, gates.NATION, region, None)
    code = known.icbs.get(text(name).upper())
    if code is None:
        raise values.NotThis("names no integrated care system that the lists know (dbt_project/seeds/organisations)")
    return _area(table, PROVIDER, code, name, values.region(region, known.regions))


def _nation(table: Table, line: Line, known: Known, filled: bool) -> dict[str, Any] | None:
    """A sheet that is about England alone: every line with figures."""
    name = table.key(line, "org_name")
    if name is not None and filled and not _is_nation(name):
        raise values.NotThis("a row of somebody else on a sheet that is about England")
    return _area(table, PUBLISHED_NATION, gates.NATION, "England", None) if filled else None


def _area(table: Table, record: str, code: str, name: Cell, region: str | None) -> dict[str, Any]:
    """An area as a figure of its own, or as a total that is printed for the check."""
    if table.declared.hold == "printed_totals":
        return {"record": record, "region_code": region}
    return {"org_code": code, "org_name": values.name(name), "region_code": region}


_WHOSE = {"organisations": _organisation, "regions": _region, "icbs": _icb, "nation": _nation}


def _expect_rows(table: Table, records: Sequence[str], codes: Sequence[str | None]) -> None:
    """One row of the nation where there is one, and others below it: else the sheet was cut or changed."""
    if table.declared.rows == "nation":
        if not records:
            table.add("no rows with figures below the header")
        return
    nations = records.count(PUBLISHED_NATION) + codes.count(gates.NATION)
    if nations != 1:
        table.add(f"{nations} ENGLAND rows where there is one: the sheet is cut short or was changed")
    if len(records) == nations or (table.declared.rows == "organisations" and PROVIDER not in records):
        table.add("no provider rows below the header")


def _printed_once(rows: pl.DataFrame, tables: Sequence[Table]) -> pl.DataFrame:
    """The rows without those that an earlier sheet holds as well. Raises `Refused` where two sheets differ."""
    seen: set[str] = set()
    shared: set[str] = set()
    for table in tables:
        metrics = {held.metric_id for held in table.columns.values()}
        shared |= metrics & seen
        seen |= metrics
    if not shared:
        return rows
    rows = rows.with_row_index("position")
    first = rows.filter(pl.col("metric_id").is_in(sorted(shared))).unique(IDENTITY, keep="first", maintain_order=True)
    again = rows.join(first, on=IDENTITY, how="inner", nulls_equal=True, suffix="_before").filter(
        pl.col("source_sheet") != pl.col("source_sheet_before")
    )
    allowed = NOISE * pl.col("value").abs().clip(1, None)
    differing = again.filter(
        ((pl.col("value") - pl.col("value_before")).abs() > allowed)
        | (pl.col("value").is_null() != pl.col("value_before").is_null())
    )
    _refuse_if_any(
        [
            Reason(f"differs from the same figure on sheet {printable(sheet)}", *place)
            for sheet, *place in differing.select(
                "source_sheet_before", "source_sheet", "source_row", "source_column"
            ).rows()
        ]
    )
    return rows.join(again, on="position", how="anti").drop("position")
