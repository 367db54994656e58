"""A store of person-level files that is refreshed without Dagster, stopped in between, and read mart by mart."""

from __future__ import annotations

import datetime as dt
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

from data.synthetic.layouts.ae_monthly import KEYS, V2
from pipelines import intake
from pipelines.adapters import catalogue, warehouse
from tests.support.forks import Commands
from tests.support.oracle import MARTS, Organisations
from tests.support.person_files import Sent
from tests.support.stores import Store

TRUST_COLUMNS = 27
REFRESH = "tests.support.person_refresh"
IMPORTED = ("dbt.adapters.duckdb", "dbt.parser.manifest", "dbt.task.build")


class PersonStore:
    """A store of its own below a folder, refreshed by `refreshes`, the command of `REFRESH`."""

    def __init__(self, home: Path, refreshes: Commands) -> None:
        self.store, self._refreshes = Store(home), refreshes
        self.supply = home.with_name(f"{home.name}_supply")
        self.supply.mkdir(parents=True)
        self.seconds = 0.0

    def receive(self, sent: Sent) -> None:
        """Take a file in, in this process."""
        self._receive(sent.file.feed, f"{sent.file.digest}.csv", sent.content)

    def receive_lists(self, organisations: Organisations) -> None:
        """Take in the lists of organisations, each issue as of its day."""
        for day in sorted({one.stated_on for one in organisations.statements}):
            lines = []
            for one in organisations.statements:
                if one.stated_on == day:
                    cells = [one.provider_code, f"TRUST {one.provider_code}", one.region_code or "", one.icb_code or ""]
                    lines.append(",".join([*cells, *[""] * (TRUST_COLUMNS - len(cells))]))
            self._receive("ods_trusts", f"trusts_{day}.csv", "\r\n".join(lines).encode(), day)
        lines = ["trust_code_old,trust_code_new,from_date"]
        lines += [f"{one.org_code},{one.successor_code},{one.effective_date}" for one in organisations.successions]
        last = max(one.effective_date for one in organisations.successions)
        self._receive("ods_succession", "trust_mergers.csv", "\r\n".join(lines).encode(), last)

    def receive_return(self, org_code: str, org_name: str) -> None:
        """Take in a monthly return of one provider, which names it."""
        month = "MSitAE-MAY-2020"
        figures = ["1"] * len(V2)
        table = [
            [*KEYS, *(title for _, title in V2)],
            [month, org_code, "NHS ENGLAND LONDON ", org_name, *figures],
            ["TOTAL", "TOTAL", "TOTAL", "TOTAL", *figures],
        ]
        content = "\r\n".join(",".join(cells) for cells in table).encode()
        self._receive("ae_monthly", "May-2020-revised-110620.csv", content)

    def _receive(self, feed: str, name: str, content: bytes, published: dt.date | None = None) -> None:
        path = self.supply / name
        path.write_bytes(content)
        settings = self.store.settings
        [arrival] = intake.receive(settings, catalogue.feed(feed), [str(path)], published, "test")
        assert arrival.verdict in ("accepted", "quarantined"), arrival
        assert arrival.verdict == "accepted" or feed not in ("ods_trusts", "ods_succession", "ae_monthly"), arrival

    def refresh(self, stop_after: float | None = None) -> None:
        """Refresh the marts; or begin to, and be killed after this share of the time that the longest one took."""
        running = self._refreshes.start(self.store)
        if stop_after is not None:
            running.wait(stop_after * self.seconds)
            return
        ended = running.wait()
        assert ended.code == 0, (ended.out + ended.err)[-3000:]
        self.seconds = max(self.seconds, ended.seconds)

    def rebuild(self) -> None:
        """Work everything out from the accepted rows again."""
        shutil.rmtree(self.store.settings.build.parent)
        self.refresh()

    def begun_anew(self) -> set[str]:
        """Models that add changes up and did not in the last refresh, but were worked out whole."""
        with warehouse.build(self.store.settings, read_only=True) as connection:
            found = connection.execute(
                "SELECT model_name FROM build.state.figures WHERE begun = (SELECT max(run) FROM build.state.runs)"
            ).fetchall()
            return {name for (name,) in found}

    def marts(self) -> dict[str, Counter[tuple[Any, ...]]]:
        """Every row of every mart of person-level feeds, with how often it stands there."""
        with warehouse.build(self.store.settings, read_only=True) as connection:
            names = connection.execute(
                "SELECT table_name FROM duckdb_tables() WHERE database_name = 'internal' AND schema_name = 'marts' "
                "AND NOT contains(table_name, '__')"
            ).fetchall()
            assert len(names) >= len(MARTS)
            return {
                name: Counter(connection.execute(f"SELECT * FROM internal.marts.{name}").fetchall())
                for (name,) in names
            }

    def names(self, org_code: str) -> set[str]:
        """The names that an organisation has in the marts of person-level feeds."""
        with warehouse.build(self.store.settings, read_only=True) as connection:
            found: set[str] = set()
            for mart in MARTS:
                named = f"SELECT DISTINCT org_name FROM internal.marts.{mart} WHERE org_code = $1"
                found |= {name for (name,) in connection.execute(named, [org_code]).fetchall()}
            return found

    def mart(self, name: str) -> list[dict[str, Any]]:
        """The rows of a mart."""
        with warehouse.build(self.store.settings, read_only=True) as connection:
            found = connection.execute(f"SELECT * FROM internal.marts.{name}")
            names = [column[0] for column in found.description or ()]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
