"""What stands in the environment: the clock and the memory, as they are or as they are told."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from pipelines import settings


def test_the_clock_is_the_real_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unset or empty, and with an offset: aware, so that no machine's zone changes a day."""
    for nothing in (None, ""):
        monkeypatch.delenv("DATASTORE_NOW", raising=False) if nothing is None else monkeypatch.setenv(
            "DATASTORE_NOW", nothing
        )
        assert abs(settings.now() - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=1)


@pytest.mark.parametrize(
    ("told", "instant", "day"),
    [
        ("2020-06-01T02:30:00Z", dt.datetime(2020, 6, 1, 2, 30, tzinfo=dt.UTC), dt.date(2020, 6, 1)),
        ("2020-06-01T00:30:00+01:00", dt.datetime(2020, 5, 31, 23, 30, tzinfo=dt.UTC), dt.date(2020, 6, 1)),
        ("2020-12-31T23:59:59Z", dt.datetime(2020, 12, 31, 23, 59, 59, tzinfo=dt.UTC), dt.date(2020, 12, 31)),
    ],
)
def test_a_day_is_replayed(monkeypatch: pytest.MonkeyPatch, told: str, instant: dt.datetime, day: dt.date) -> None:
    """An instant is an instant whatever its offset; the day is the one in England."""
    monkeypatch.setenv("DATASTORE_NOW", told)
    assert (settings.now(), settings.today()) == (instant, day)


@pytest.mark.parametrize("told", ["yesterday", "2020-06-01", "2020-06-01T02:30:00", "2020-13-01T00:00:00Z", "0"])
def test_what_is_no_instant_is_refused(monkeypatch: pytest.MonkeyPatch, told: str) -> None:
    """In one line that names the variable; a time without an offset is no instant."""
    monkeypatch.setenv("DATASTORE_NOW", told)
    with pytest.raises(settings.Unusable, match="DATASTORE_NOW") as refusal:
        settings.now()
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("told", "size"),
    [("2GB", 2_000_000_000), ("1.5GiB", 1_610_612_736), ("800 MB", 800_000_000), ("256MiB", 268_435_456)],
)
def test_memory_is_what_is_told(monkeypatch: pytest.MonkeyPatch, told: str, size: int) -> None:
    """In powers of ten or of two; and no thread has less than its share."""
    monkeypatch.setenv("DATASTORE_MEMORY", told)
    assert settings.memory() == size
    assert 1 <= settings.threads() <= max(1, size // settings.LEAST_MEMORY)


@pytest.mark.parametrize("told", ["much", "2", "-1GB", "2TB", "100MB", "0GB"])
def test_what_is_no_size_is_refused(monkeypatch: pytest.MonkeyPatch, told: str) -> None:
    """In one line that names the variable."""
    monkeypatch.setenv("DATASTORE_MEMORY", told)
    with pytest.raises(settings.Unusable, match="DATASTORE_MEMORY"):
        settings.memory()


def test_memory_is_never_more_than_half_of_what_there_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Of the container's where it has a limit; and never less than DuckDB needs."""
    monkeypatch.delenv("DATASTORE_MEMORY", raising=False)
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(settings, "CONTROL_GROUP_LIMIT", limit)
    for told, size in ((2 * 1024**3, 1024**3), (300 * 1024**2, settings.LEAST_MEMORY)):
        limit.write_text(f"{told}\n")
        assert settings.memory() == size
    limit.write_text("max\n")
    assert settings.memory() <= settings.MOST_MEMORY
