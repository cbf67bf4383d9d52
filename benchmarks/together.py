"""What the three programs hold in memory together: at rest, and after some work.

Each has done the same as its original: a thousand scrapes of the host, a thousand of
one nginx, and the log of a container shipped. At rest is after the first answer, the
shipper with a container that logs nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks import programs
from benchmarks.measure import Contender, Pair, connected
from benchmarks.part import Section, Setting
from benchmarks.process import BenchmarkError, memory
from benchmarks.shipper_containers import PLAIN, engine
from benchmarks.shipper_programs import Scene, Shipper, receiving, shippers, shipping
from benchmarks.shipping import PROMTAIL, needs_engine
from benchmarks.summary import Row, Target
from benchmarks.units import mebibytes


SCRAPES: Final = 1000
LINES: Final = 200_000
PATIENCE_SECONDS: Final = 120.0
SUM: Final = Target(1.0)


class Held(NamedTuple):
    """Resident memory of one program, in bytes."""

    rest: float
    after: float


class Both(NamedTuple):
    """Of ours and of the original."""

    ours: Held
    original: Held


def sections(setting: Setting) -> Iterator[Section]:
    """Yield the section of the three."""
    needs_engine()
    programs.original("PROMTAIL")
    node = programs.peers("node_exporter", "NODE_EXPORTER")[0]
    nginx = programs.peers("nginx exporter", "NGINX_EXPORTER")[0]
    folder = setting.folder
    held = {"node": _scraped(programs.node_pair(setting.python, node.path)[0], folder)}
    with programs.running_nginx(folder) as ports:
        pair = programs.nginx_pair(setting.python, nginx.path, ports)
        held["nginx"] = _scraped(pair, folder)
    held["shipper"] = _shipped(folder)
    peer = f"{node.name}, {nginx.name}, {PROMTAIL}"
    about = f"{SCRAPES:,} scrapes of each exporter, {LINES:,} lines"
    yield Section("the three together", peer, about, tuple(rows(held)))


def rows(held: dict[str, Both]) -> Iterator[Row]:
    """Yield the sums, and what each program has in them."""
    for index, when in enumerate(("at rest", "after work")):
        mine = sum(both.ours[index] for both in held.values())
        theirs = sum(both.original[index] for both in held.values())
        yield Row(f"sum of RSS {when}", mine, theirs, mebibytes).aim(SUM)
        for name, (ours, original) in held.items():
            yield Row(f"  {name}", ours[index], original[index], mebibytes)


def _scraped(pair: Pair, folder: Path) -> Both:
    return Both(*(_scraped_one(contender, folder) for contender in pair))


def _scraped_one(contender: Contender, folder: Path) -> Held:
    with ExitStack() as stack:
        running, connection = connected(contender, folder, stack)
        rest = memory(running.pid).rss
        for _ in range(SCRAPES):
            connection.scrape("gzip")
        return Held(rest, memory(running.pid).rss)


def _shipped(folder: Path) -> Both:
    with engine() as docker, receiving(folder) as receiver:
        scene = Scene(folder, receiver, docker)
        docker.start_idle(1)
        docker.write(LINES, PLAIN, "log")
        ours, theirs = (_shipped_by(shipper, scene) for shipper in shippers())
        return Both(ours, theirs)


def _shipped_by(shipper: Shipper, scene: Scene) -> Held:
    rest = _memory_after(shipper, scene, "idle", 1)
    return Held(rest, _memory_after(shipper, scene, "log", LINES))


def _memory_after(shipper: Shipper, scene: Scene, group: str, lines: int) -> int:
    """Return the memory that *shipper* holds when it has shipped *lines*."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    with shipping(shipper, scene, group) as at_work:
        while (sent := at_work.sent()) < lines:
            if time.monotonic() > deadline:
                raise BenchmarkError(f"{shipper.name}: {sent} lines of {lines}")
            time.sleep(0.1)
        return memory(at_work.running.pid).rss
