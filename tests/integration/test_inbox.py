"""Files dropped into the inbox: the sensor sees them, the job receives them, what is no plain file stays."""

from __future__ import annotations

import shutil
from pathlib import Path

import dagster as dg
import pytest

from pipelines import settings
from pipelines.adapters.landing import Landing
from tests.support.stores import Store
from tests.support.supplied import england


def test_a_dropped_file_is_received_once_and_leaves_the_inbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path / "store")
    for name, value in store.environment.items():
        monkeypatch.setenv(name, value)
    settings.prepare(store.settings)
    from pipelines.defs.schedule.jobs import inbox, receive_inbox

    def requested() -> list[str | None]:
        data = inbox.evaluate_tick(dg.build_sensor_context())
        return [request.run_key for request in data.run_requests or []]

    assert requested() == []
    folder = store.settings.inbox / "ods_trusts"
    folder.mkdir(parents=True)
    good = folder / "etr.csv"
    shutil.copy(england() / "ods_trusts/etr.csv", good)
    (folder / "broken.csv").write_bytes(b"\x00\x00")
    (folder / "link.csv").symlink_to(england() / "ods_trusts/etr_autumn.csv")
    first = requested()
    assert len(first) == 1 and requested() == first, "one request for one state of the inbox"

    assert receive_inbox.execute_in_process().success
    held = {one.manifest["file_name"]: one.verdict for one in Landing(store.settings).batches("ods_trusts")}
    assert held == {"etr.csv": "accepted", "broken.csv": "quarantined"}
    assert [path.name for path in folder.iterdir()] == ["link.csv"]
    assert requested() == []
