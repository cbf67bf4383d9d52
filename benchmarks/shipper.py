"""What shipping the logs of containers costs, beside promtail.

    PROMTAIL=/path/to/promtail python -m benchmarks.shipper [--lines N] [--rounds N]
    ... --pipeline              # with json, labels, match and timestamp stages
    ... --idle 200 --seconds 60 # instead: what containers cost that log nothing
    LOKI=/path/to/loki ...      # to a real Loki, not to a sink that stores nothing

A container writes its lines first. Then both shippers read its log through the daemon,
one after the other and in turns in going first, each from its start and without
positions until its own counter says that the receiver took every line. CPU is the
whole process', its start included. Beside them, in each round, the same log is read
from the daemon's socket by a loop that looks at nothing, and by ``docker logs``.

2 vCPU EPYC, never idle (load 6 to 8), Debian's Python 3.11.2, a million lines to the
sink: 5.95 s of CPU, promtail 15.2 (0.39), the socket alone 3.5; 63,000 lines a second,
promtail 57,000, the socket alone 76,000; at the peak 62 MiB, promtail 96 (0.65).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.command import end_on_sigterm, positive
from benchmarks.machine import load, machine
from benchmarks.measure import turn
from benchmarks.process import BenchmarkError, cpu_seconds, peak_rss
from benchmarks.shipper_containers import JSON, PLAIN, DaemonClock, engine
from benchmarks.shipper_idle import compare_idle
from benchmarks.shipper_programs import (
    Scene,
    Shipper,
    Started,
    receiver_name,
    receiving,
    shippers,
    shipping,
)
from benchmarks.shipper_reads import Read, bare, docker_logs
from benchmarks.shipper_table import Column, show


LINES: Final = 1_000_000
ROUNDS: Final = 3
POLL_SECONDS: Final = 0.4
"""A page of metrics costs whoever is asked some milliseconds."""
PATIENCE_SECONDS: Final = 300.0


class Shipped(NamedTuple):
    """One run of one shipper; seconds of CPU are for all the lines."""

    cpu: float
    daemon: float
    receiver: float
    lines_per_second: float
    peak_rss: int
    first_line: float


def ship(shipper: Shipper, scene: Scene, lines: int, *, stages: bool) -> Shipped:
    """Have *shipper* ship the log that is there; raises BenchmarkError."""
    daemon, receiver = DaemonClock.find(), scene.receiver
    engine_before, receiver_before = daemon.seconds(), cpu_seconds(receiver.pid)
    with shipping(shipper, scene, "log", stages=stages) as at_work:
        polls = poll(at_work, lines)
        cpu, peak = cpu_seconds(at_work.running.pid), peak_rss(at_work.running.pid)
    used = daemon.seconds() - engine_before
    taken_by = cpu_seconds(receiver.pid) - receiver_before
    first_line = polls[0][0] - at_work.began
    if receiver.taken is not None:
        received = receiver.taken()
        if received.lines != lines:
            raise BenchmarkError(f"{shipper.name}: {received.lines} lines of {lines}")
        first_line = received.first_at - at_work.began
    return Shipped(cpu, used, taken_by, rate(polls), peak, first_line)


def poll(at_work: Started, lines: int) -> list[tuple[float, int]]:
    """Return when how many lines were sent, from the first ones to all."""
    polls: list[tuple[float, int]] = []
    deadline = time.monotonic() + PATIENCE_SECONDS
    sent = 0
    while sent < lines:
        if time.monotonic() > deadline:
            raise BenchmarkError(f"{sent} of {lines} lines were sent in time")
        time.sleep(POLL_SECONDS)
        if sent := at_work.sent():
            polls.append((time.monotonic(), sent))
    return polls


def rate(polls: Sequence[tuple[float, int]]) -> float:
    """Return lines a second between the first poll and that before the last lines.

    The last batch waits for more, as its settings ask.
    """
    enough = polls[-1][1] * 0.95
    (began, first), (ended, last) = (
        polls[0],
        next(each for each in polls if each[1] >= enough),
    )
    return (last - first) / (ended - began) if ended > began else float("nan")


class Runs(NamedTuple):
    """All rounds: of each shipper by name, and of each plain reading."""

    shipped: dict[str, list[Shipped]]
    reads: dict[str, list[Read]]


def measure(
    lines: int, rounds: int, folder: Path, *, stages: bool, reads: bool = True
) -> Runs:
    """Ship one log in rounds, and read it plainly beside; raises BenchmarkError."""
    contenders = shippers()
    plain: dict[str, Callable[[str], Read]] = {}
    if reads:
        plain = {"bare": bare, "docker logs": docker_logs}
    runs = Runs({each.name: [] for each in contenders}, {name: [] for name in plain})
    with engine() as docker, receiving(folder) as receiver:
        scene = Scene(folder, receiver, docker)
        container = docker.write(lines, JSON if stages else PLAIN, "log")
        for number in range(rounds):
            for which in turn(number):
                if which < len(contenders):
                    shipper = contenders[which]
                    shipped = ship(shipper, scene, lines, stages=stages)
                    runs.shipped[shipper.name].append(shipped)
            for name, read in plain.items():
                runs.reads[name].append(read(container))
    return runs


def compare(arguments: argparse.Namespace, folder: Path) -> None:
    """Ship one log in rounds, and print the table."""
    lines, rounds = arguments.lines, arguments.rounds
    print(f"to {receiver_name()}; {lines:,} lines, {rounds} rounds")
    runs = measure(lines, rounds, folder, stages=arguments.pipeline)
    columns = [shipped_column(name, found, lines) for name, found in runs[0].items()]
    columns += [read_column(name, found, lines) for name, found in runs[1].items()]
    print(show(columns))


def shipped_column(name: str, runs: Sequence[Shipped], lines: int) -> Column:
    """Return what to print of a shipper."""
    million = lines / 1e6
    return Column(
        name,
        {
            "CPU s / M lines": [run.cpu / million for run in runs],
            "  the daemon's": [run.daemon / million for run in runs],
            "  the receiver's": [run.receiver / million for run in runs],
            "lines / s": [run.lines_per_second for run in runs],
            "peak RSS, MiB": [run.peak_rss / 2**20 for run in runs],
            "start to first push, s": [run.first_line for run in runs],
        },
    )


def read_column(name: str, reads: Sequence[Read], lines: int) -> Column:
    """Return what to print of a plain reading."""
    million = lines / 1e6
    return Column(
        name,
        {
            "CPU s / M lines": [read.cpu / million for read in reads],
            "  the daemon's": [read.daemon / million for read in reads],
            "lines / s": [lines / read.wall for read in reads],
        },
    )


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    result = argparse.ArgumentParser(prog="benchmarks.shipper", description=__doc__)
    result.formatter_class = argparse.RawDescriptionHelpFormatter
    for name, default, text in (
        ("lines", LINES, "lines in the log"),
        ("rounds", ROUNDS, "how often each ships or reads it"),
        ("idle", None, "measure containers that log nothing, so many of them"),
        ("seconds", 60, "how long they are measured"),
    ):
        result.add_argument(
            f"--{name}", type=positive, default=default, metavar="N", help=text
        )
    result.add_argument("--pipeline", action="store_true", help="with four stages")
    return result


def main(argv: Sequence[str] | None = None) -> int:
    """Run what *argv* asks for; a BenchmarkError is one line and exit code 1."""
    arguments = parser().parse_args(argv)
    print(machine())
    if len(shippers()) == 1:
        print("$PROMTAIL names no promtail: ours alone")
    try:
        with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
            if arguments.idle:
                compare_idle(arguments.idle, arguments.seconds, Path(folder))
            else:
                compare(arguments, Path(folder))
    except BenchmarkError as error:
        print(f"benchmarks.shipper: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(f"load average after: {load()}")
    return 0


if __name__ == "__main__":
    end_on_sigterm()
    sys.exit(main())
