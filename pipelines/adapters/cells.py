"""What `explain` asks the served release: rows of marts, who counts in them, the published cells behind them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any, Self

import yaml

from pipelines import settings
from pipelines.adapters import releases

Row = dict[str, Any]

# A day after all others: what is known on it is what is known now.
NOW = "9000-01-01"


def project_vars() -> Row:
    """The dbt project's variables: `subjects` has what each subject mart's SQL is rendered from, `nation` the code."""
    return dict(yaml.safe_load((settings.DBT_PROJECT / "dbt_project.yml").read_text())["vars"])


class Cells:
    """A connection to the public tier of one release; names of marts and columns are checked by the caller."""

    def __init__(self, here: settings.Settings) -> None:
        """Open the release that is served; raises `releases.NoRelease`."""
        self.connection = releases.open_tier(releases.current(here), "public")
        self.versions: dict[str, list[Row]] = {}
        for row in self._rows("select * from marts.metric order by metric_id, definition_version"):
            self.versions.setdefault(row["metric_id"], []).append(row)
        # What a metric is made of is the same in every version; the last one stands for all.
        self.metrics = {metric_id: versions[-1] for metric_id, versions in self.versions.items()}
        self._columns: dict[tuple[str, str], dict[str, str]] = {}
        for row in self._rows(
            "select schema_name, table_name, column_name, data_type from duckdb_columns() "
            "where database_name = 'datastore' order by schema_name, table_name, column_index"
        ):
            of_mart = self._columns.setdefault((row["schema_name"], row["table_name"]), {})
            of_mart[row["column_name"]] = row["data_type"]
        self._names: dict[str, str] = dict(
            self.connection.execute("select org_code, org_name from marts.organisation").fetchall()
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.close()

    def definition(self, metric_id: str, day: dt.date) -> Row:
        """A metric as it was defined on a day."""
        versions = self.versions[metric_id]
        return next((row for row in reversed(versions) if row["valid_from"] <= day), versions[0])

    def marts(self) -> set[str]:
        """Every mart of the release."""
        return {mart for schema, mart in self._columns if schema == "marts"}

    def columns(self, schema: str, mart: str) -> dict[str, str]:
        """Name and type of a mart's columns; empty when there is no such mart."""
        return self._columns.get((schema, mart), {})

    def matching(self, schema: str, mart: str, types: dict[str, str], key: dict[str, str]) -> list[Row]:
        """The rows of a mart whose columns have these values; a value of another type than its column's has none."""
        where = " and ".join(f"{column} = try_cast(? as {types[column]})" for column in key)
        return self._rows(f"select * from {schema}.{mart} where {where}", list(key.values()))

    def members(self, schema: str, mart: str, key: dict[str, Any]) -> list[Row]:
        """The organisations that count, or are expected, in the rows of a mart with these values of its key.

        The mart's own text as published, cut off before it adds up, computed once a connection.
        """
        kept = f"members_{schema}_{mart}"
        self.connection.execute(
            f"create temp table if not exists {kept} as select * from {schema}.{mart}_members(date '{NOW}')"
        )
        where = " and ".join(f"{column} = ?" for column in key)
        return self._rows(f"select * from {kept} where {where} order by org_code", list(key.values()))

    def figures(
        self, metric_ids: Iterable[str], org_codes: Iterable[str], period: tuple[str, dt.date], known_at: Any = None
    ) -> list[Row]:
        """Observations of these metrics and organisations for one period: those known now, or at a moment.

        `period` is the column by which the mart dates its rows (period_start or period_end) and the day.
        """
        column, day = period
        known = "known_to is null" if known_at is None else "known_from <= ? and (known_to is null or known_to > ?)"
        return self._rows(
            "select * from marts.observation where metric_id in (select unnest(?)) and org_code in (select unnest(?)) "
            f"and {column} = ? and {known} order by metric_id, org_code, period_start",
            [sorted(metric_ids), sorted(org_codes), day, *([] if known_at is None else [known_at] * 2)],
        )

    def checks(self, batches: Sequence[str], org_codes: Sequence[str]) -> list[Row]:
        """What was checked about these files, as a whole and about these organisations."""
        return self._rows(
            "select * from marts.quality where batch in (select unnest(?)) "
            "and (org_code is null or org_code in (select unnest(?))) order by feed, batch, check_id, org_code",
            [list(batches), list(org_codes)],
        )

    def name(self, org_code: str) -> str | None:
        """Name of an organisation as it is known now."""
        return self._names.get(org_code)

    def release(self) -> Row:
        """The release that is served."""
        [row] = self._rows("select * from marts.release where is_current")
        return row

    def _rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        found = self.connection.execute(sql, parameters)
        names = [column[0] for column in found.description or []]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
