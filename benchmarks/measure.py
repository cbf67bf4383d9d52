"""Measure two programs in one run, in turns, so that noise hits both."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from benchmarks.process import Memory, Running, cpu_seconds, memory, started
from benchmarks.scrape import Connection, count_samples, first_answer, free_port
from benchmarks.summary import Row, count, mebibytes, milliseconds, paired, percentile


ENCODINGS = {"plain": "identity", "gzip": "gzip"}
# Not measured: caches fill, Go's heap and CPython's arenas grow to their size.
WARM_UP = 10


class Contender(NamedTuple):
    """A program to run: ``{port}`` in *command* becomes the port to listen on."""

    command: tuple[str, ...]
    environ: Mapping[str, str]


class Pair(NamedTuple):
    """Ours and the original, set up to do the same."""

    ours: Contender
    original: Contender


class Plan(NamedTuple):
    """How much to measure: *scrapes* of each kind in *rounds*, and *starts*."""

    scrapes: int = 200
    rounds: int = 10
    starts: int = 10

    def sizes(self) -> list[int]:
        """Return how many scrapes each round makes; no round is empty."""
        rounds = min(self.rounds, self.scrapes)
        each, more = divmod(self.scrapes, rounds)
        return [each + (index < more) for index in range(rounds)]


@dataclass(slots=True)
class Series:
    """What one program took for one kind of scrape; seconds and bytes."""

    cpu: list[float] = field(default_factory=list)
    median: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    body_bytes: int = 0
    samples: int = 0

    def run(
        self, running: Running, connection: Connection, size: int, kind: str
    ) -> None:
        """Add one round of *size* scrapes."""
        latencies = []
        before = cpu_seconds(running.pid)
        for _ in range(size):
            answer, latency = connection.scrape(ENCODINGS[kind])
            latencies.append(latency)
        self.cpu.append((cpu_seconds(running.pid) - before) / size)
        self.median.append(statistics.median(latencies))
        self.latencies += latencies
        self.body_bytes, self.samples = len(answer.body), count_samples(answer)


@dataclass(slots=True)
class Start:
    """What the starts of one program took, each until its first 200; seconds."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


def compare(pair: Pair, plan: Plan, folder: Path) -> list[Row]:
    """Return the rows of the table for *pair*; *folder* is for logs.

    Raises BenchmarkError when a program ends, or answers something else than metrics.
    """
    begins = starts(pair, plan.starts, folder)
    series, held = scrapes(pair, plan, folder)
    return [
        *(row for kind in ENCODINGS for row in _scrape_rows(kind, series[kind])),
        Row("RSS after", held[0].rss, held[1].rss, mebibytes),
        Row("  anonymous part", held[0].anonymous, held[1].anonymous, mebibytes),
        paired("start to first 200", begins[0].wall, begins[1].wall, milliseconds),
        paired("  CPU until then", begins[0].cpu, begins[1].cpu, milliseconds),
        *(_size_row(kind, series[kind]) for kind in ENCODINGS),
        Row("samples", series["plain"][0].samples, series["plain"][1].samples, count),
    ]


def _scrape_rows(kind: str, both: tuple[Series, Series]) -> Iterator[Row]:
    ours, original = both
    yield paired(f"CPU per scrape, {kind}", ours.cpu, original.cpu, milliseconds)
    yield paired(
        f"  latency median, {kind}", ours.median, original.median, milliseconds
    )
    yield Row(
        f"  latency p99, {kind}",
        percentile(ours.latencies, 99),
        percentile(original.latencies, 99),
        milliseconds,
    )


def _size_row(kind: str, both: tuple[Series, Series]) -> Row:
    return Row(f"body bytes, {kind}", both[0].body_bytes, both[1].body_bytes, count)


def starts(pair: Pair, times: int, folder: Path) -> tuple[Start, Start]:
    """Start and end both *times* times, in turns; one start of each goes first."""
    both = (Start(), Start())
    for index in range(times + 1):
        for which in turn(index):
            wall, cpu = _start_once(pair[which], folder)
            if index:
                both[which].wall.append(wall)
                both[which].cpu.append(cpu)
    return both


def _start_once(contender: Contender, folder: Path) -> tuple[float, float]:
    port = free_port()
    command = with_port(contender.command, port)
    begin = time.perf_counter()
    with started(command, contender.environ, folder) as running:
        first_answer(running, port)
        wall = time.perf_counter() - begin
        return wall, cpu_seconds(running.pid)


def scrapes(
    pair: Pair, plan: Plan, folder: Path
) -> tuple[dict[str, tuple[Series, Series]], list[Memory]]:
    """Scrape both in turns; return the series by kind, and the memory held after."""
    series = {kind: (Series(), Series()) for kind in ENCODINGS}
    with ExitStack() as stack:
        running, connections = [], []
        for contender in pair:
            port = free_port()
            command = with_port(contender.command, port)
            program = stack.enter_context(started(command, contender.environ, folder))
            first_answer(program, port)
            running.append(program)
            connections.append(stack.enter_context(Connection(port)))
        for kind, both in series.items():
            for which in (0, 1):
                Series().run(running[which], connections[which], WARM_UP, kind)
            for index, size in enumerate(plan.sizes()):
                for which in turn(index):
                    both[which].run(running[which], connections[which], size, kind)
        return series, [memory(program.pid) for program in running]


def turn(index: int) -> tuple[int, int]:
    """Return which of the two goes first in round *index*: they take turns in that."""
    return (0, 1) if index % 2 == 0 else (1, 0)


def with_port(command: Sequence[str], port: int) -> list[str]:
    """Return *command* with *port* where it says ``{port}``."""
    return [part.replace("{port}", str(port)) for part in command]
