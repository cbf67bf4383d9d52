"""Measure two programs in one run, in turns, so that noise hits both."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from benchmarks.process import Memory, Running, cpu_seconds, memory, started
from benchmarks.scrape import Connection, count_samples, first_answer, free_port


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
    """How much to measure.

    *scrapes* of each kind in *rounds*, *starts* of each program, *lines* of a log.
    """

    scrapes: int = 500
    rounds: int = 20
    starts: int = 10
    lines: int = 1_000_000

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


class Measured(NamedTuple):
    """What came of the scrapes of both: series by kind, and the memory held after."""

    series: dict[str, tuple[Series, Series]]
    held: tuple[Memory, Memory]


def scrapes(
    pair: Pair, plan: Plan, folder: Path, kinds: Sequence[str] = tuple(ENCODINGS)
) -> Measured:
    """Scrape both in turns, each of *kinds*.

    Raises BenchmarkError when a program ends, or answers something else than metrics.
    """
    series = {kind: (Series(), Series()) for kind in kinds}
    with ExitStack() as stack:
        both = [connected(contender, folder, stack) for contender in pair]
        for kind, pair_of_series in series.items():
            for running, connection in both:
                Series().run(running, connection, WARM_UP, kind)
            for index, size in enumerate(plan.sizes()):
                for which in turn(index):
                    pair_of_series[which].run(*both[which], size, kind)
        ours, original = (memory(running.pid) for running, _ in both)
        return Measured(series, (ours, original))


def connected(
    contender: Contender, folder: Path, stack: ExitStack
) -> tuple[Running, Connection]:
    """Start *contender*, wait for its first answer, and connect; *stack* ends both."""
    port = free_port()
    command = with_port(contender.command, port)
    running = stack.enter_context(started(command, contender.environ, folder))
    first_answer(running, port)
    return running, stack.enter_context(Connection(port))


def turn(index: int) -> tuple[int, int]:
    """Return which of the two goes first in round *index*: they take turns in that."""
    return (0, 1) if index % 2 == 0 else (1, 0)


def with_port(command: Sequence[str], port: int) -> list[str]:
    """Return *command* with *port* where it says ``{port}``."""
    return [part.replace("{port}", str(port)) for part in command]
