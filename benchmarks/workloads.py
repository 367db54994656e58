"""What is measured, one after the other, on one machine in one run."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import bare, data, equality, stores
from benchmarks.data import People
from benchmarks.measure import NOTHING, Cost, Failed, measured
from benchmarks.peers import work as peer_work
from benchmarks.report import GIGABYTE, Results
from benchmarks.stores import Store
from pipelines.settings import PROJECT_ROOT

RESULTS = Path(__file__).with_name("results")
PEERS = {"pandas": "benchmarks.peers.in_pandas", "spark": "benchmarks.peers.in_spark"}
PEERS_PYTHON = Path(__file__).with_name(".venv") / "bin" / "python"
PEERS_UP_TO = ("start-up", "thousandth", "hundredth", "tenth")
PEER_FEEDS = (peer_work.ATTENDANCES.name, peer_work.SPELLS.name)
PEER_MARTS = ["ae_waiting_times_daily", "occupancy_daily_person_level", "length_of_stay"]
SMALL_MEMORY = "2GB"
SCANS = 3
PARTS = ("bare", "night", "memory", "peers", "growth")
"""What can be left out; S, the start-up and the full rebuild are what everything else is divided by."""


@dataclass
class Run:
    """One run at one scale, in one work folder; `say` hears what begins."""

    scale: str
    work: Path
    parts: tuple[str, ...]
    say: Callable[[str], None]
    results: Results = field(init=False)
    start_up: StartUp = field(init=False)

    def __post_init__(self) -> None:
        self.results = Results(self.scale)
        shutil.rmtree(self.work / "stores", ignore_errors=True)

    def all(self) -> Results:
        """Everything, in the order in which it needs least space at a time."""
        people = self._people(self.scale)
        self._scan(people)
        self._start_up()
        full, cost = self._full(people, "full")
        self.results.found["rebuild"] = cost.cpu / self.results.costs["S"].cpu
        work = cost - self.start_up.rebuild
        self.results.found["rebuild_work"] = work.cpu / self.results.costs["S"].cpu
        self.results.found["memory"] = cost.peak / GIGABYTE
        parts = {
            "bare": lambda: self._bare(people, full, work),
            "night": lambda: self._nights(people, full, work),
            "memory": lambda: self._less_memory(people, full),
            "peers": lambda: self._peers(people, full, work),
            "growth": lambda: self._growth(people, work),
        }
        for part in PARTS:
            if part in self.parts:
                self._guarded(part, parts[part])
        return self.results

    def _guarded(self, part: str, measure: Callable[[], None]) -> None:
        """One part that fails is left out, with the reason; an hour of the others is not lost with it."""
        try:
            measure()
        except Failed as failed:
            self.results.left_out[part] = str(failed)

    def _people(self, scale: str) -> People:
        self.say(f"synthetic England, {scale}")
        people = data.made(self.work, scale)
        self.results.rows[scale] = people.rows
        return people

    def _cost(self, name: str, cost: Cost) -> None:
        self.results.costs[name] = cost
        self.say(f"    {name}: {cost.cpu:.1f} CPU s, {cost.wall:.1f} s, {cost.peak / 1e6:,.0f} MB")
        self.results.write(RESULTS)  # a long run that is stopped has not measured in vain

    def _store(self, name: str, memory: str | None = None) -> Store:
        folder = re.sub(r"[^a-z0-9]+", "-", name.lower())
        return Store(self.work / "stores" / folder, self.work / "stores" / "keys", memory)

    def _scan(self, people: People) -> None:
        """S: the middle of three at most, the start of the process apart."""
        self.say("S: DuckDB's typed scan")
        nobody = data.made(self.work, "start-up")
        scans = [self._scanned(people) for _ in range(1 if self.scale == "national" else SCANS)]
        middle = sorted(scans, key=lambda cost: cost.cpu)[len(scans) // 2]
        self._cost("S", middle - self._scanned(nobody))

    def _scanned(self, people: People) -> Cost:
        return self._store("scan").run("benchmarks.scan", *map(str, people.csv))

    def _start_up(self) -> None:
        """What is paid whatever there is to do: the same commands on a store that holds next to nothing."""
        self.say("fixed start-up")
        people = self._people("start-up")
        store = self._store("start-up")
        received = store.receive(people.back_files)
        first = store.refresh(logged=True)
        replayed = self._replay(bare.Job.of(people.back_files, store.home, []), "start-up: bare")
        some = self._replay(_peers_job(people, store), "start-up: bare, the peers' tables")
        store.receive(people.night)
        night = store.refresh()
        idle = store.refresh()
        each = received / len(people.back_files)
        self.start_up = StartUp(each, first, night, len(people.back_files), replayed, some)
        self._cost("start-up: receive, each feed", self.start_up.receive)
        self._cost("start-up: first refresh", first)
        self._cost("start-up: refresh with a night", night)
        self._cost("start-up: refresh with nothing new", idle)
        self.results.found["start_up"] = idle.cpu
        self.results.found["start_up_receive"] = self.start_up.receive.cpu
        store.remove()

    def _full(self, people: People, name: str, memory: str | None = None) -> tuple[Store, Cost]:
        """CSV to published marts, on a fresh store."""
        self.say(f"full rebuild, {people.scale}{f', {memory}' if memory else ''}")
        store = self._store(name, memory)
        received = store.receive(people.all_files)
        refreshed = store.refresh(logged=True)
        self._cost(f"{name}: receive", received)
        self._cost(f"{name}: refresh", refreshed)
        return store, received + refreshed

    def _replay(self, job: bare.Job, name: str) -> Cost:
        store = self._store(name)
        store.home.mkdir(parents=True)
        cost = store.run("benchmarks.bare", str(job.write(store.home / "job.json")))
        self._cost(name, cost)
        return cost

    def _bare(self, people: People, full: Store, work: Cost) -> None:
        self.say("the same SQL bare")
        cost = self._replay(bare.Job.of(people.all_files, full.home, []), "bare") - self.start_up.bare
        store = self._store("bare")
        self.results.equal["bare SQL against the datastore"] = stores.differing(store, full)
        store.remove()
        self.results.found["bare"] = cost.cpu / self.results.costs["S"].cpu
        self.results.found["orchestration"] = work.cpu / cost.cpu

    def _nights(self, people: People, full: Store, work: Cost) -> None:
        """A store that held the year takes in the night after, then has a night without."""
        self.say("one night")
        store = self._store("nights")
        store.receive(people.back_files)
        store.refresh()
        received, refreshed = store.receive(people.night), store.refresh()
        self._cost("night: receive", received)
        self._cost("night: refresh", refreshed)
        delta = received + refreshed - (self.start_up.receive * len(people.night) + self.start_up.night)
        self.results.found["delta"] = 100 * delta.cpu / work.cpu
        self._cost("quiet night: refresh", store.refresh())
        self.results.found["quiet_night"] = self.results.costs["quiet night: refresh"].wall
        self._same("delta_rows", "nights against the full rebuild", store, full)
        store.remove()

    def _less_memory(self, people: People, full: Store) -> None:
        store, cost = self._full(people, f"full at {SMALL_MEMORY}", SMALL_MEMORY)
        self.results.found["memory_2gb"] = cost.peak / GIGABYTE
        self._same("memory_rows", f"{SMALL_MEMORY} against the default", store, full)
        store.remove()

    def _same(self, goal: str, name: str, left: Store, right: Store) -> None:
        found = stores.differing(left, right)
        self.results.equal[name] = found
        self.results.found[goal] = sum(abs(count) for count in found.values())

    def _growth(self, people: People, work: Cost) -> None:
        """Against ten times fewer people: processor time a byte, and memory."""
        less = data.TEN_TIMES_LESS.get(self.scale)
        if less is None:
            return
        fewer = self._people(less)
        store, cost = self._full(fewer, less)
        store.remove()
        self.results.found["growth_time"] = (work.cpu / people.size) / ((cost - self.start_up.rebuild).cpu / fewer.size)
        self.results.found["growth_memory"] = work.peak / cost.peak

    def _peers(self, people: People, full: Store, work: Cost) -> None:
        if self.scale not in PEERS_UP_TO:
            raise Failed(f"the peers do not hold a {self.scale} year in memory")
        self.say("the peers' tables, bare")
        some = self._replay(_peers_job(people, full), "bare, the peers' tables") - self.start_up.bare_some
        self._store("bare, the peers' tables").remove()
        fewest = data.made(self.work, "start-up")
        for peer in PEERS:
            if missing := self._missing(peer):
                self.results.left_out[peer] = missing
                continue
            self.say(peer)
            try:
                cost, output = self._peer(peer, people)
                different = equality.differing(full, output)
                self.results.equal[f"{peer} against the datastore"] = different
                if any(different.values()):
                    self.results.left_out[f"the time of {peer}"] = f"its figures are others: {different}"
                    continue
                start_up, _ = self._peer(peer, fewest)
            except Failed as failed:
                self.results.left_out[peer] = str(failed)
                continue
            self._cost(peer, cost)
            self._cost(f"start-up: {peer}", start_up)
            self.results.found[peer] = (cost - start_up).cpu / some.cpu
            self.results.found[f"{peer}_whole"] = (cost - start_up).cpu / work.cpu

    def _peer(self, peer: str, people: People) -> tuple[Cost, Path]:
        output = self.work / "stores" / f"{peer}-{people.scale}"
        command = [str(PEERS_PYTHON), "-m", PEERS[peer], str(people.readable(PEER_FEEDS)), str(output)]
        log = self.work / "stores" / f"{peer}-{people.scale}.txt"
        environment = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1"}
        return measured(command, log, environment, PROJECT_ROOT), output

    def _missing(self, peer: str) -> str:
        if not PEERS_PYTHON.exists():
            return "no Python of the peers: make bench sets it up"
        if peer == "spark" and shutil.which("java") is None:
            return "no Java: on Debian and Ubuntu, apt-get install default-jre-headless"
        return ""


@dataclass(frozen=True)
class StartUp:
    """Fixed costs: of one `receive`, of a first refresh, of one with a night; how many feeds; of the bare processes."""

    receive: Cost = NOTHING
    first: Cost = NOTHING
    night: Cost = NOTHING
    feeds: int = 0
    bare: Cost = NOTHING
    bare_some: Cost = NOTHING

    @property
    def rebuild(self) -> Cost:
        """Of a full rebuild: each feed received, one first refresh."""
        return self.receive * self.feeds + self.first


def _peers_job(people: People, built: Store) -> bare.Job:
    """What the store does for the tables that the peers make."""
    files = {feed: paths for feed, paths in people.all_files.items() if feed in (*PEER_FEEDS, *people.lists)}
    return bare.Job.of(files, built.home, bare.behind(built.settings, PEER_MARTS))
