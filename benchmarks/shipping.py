"""Parts of the table about the shipper: a long log, stages, idle containers.

What is done stands in shipper.py and shipper_idle.py, which print more of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from benchmarks import programs
from benchmarks.measure import Contender, Pair, starts
from benchmarks.part import Section, Setting
from benchmarks.process import LeftOutError
from benchmarks.shipper import Shipped, measure
from benchmarks.shipper_containers import SOCKET
from benchmarks.shipper_idle import measure_idle
from benchmarks.shipper_programs import configuration, receiver_name, shippers
from benchmarks.shipper_reads import Read
from benchmarks.summary import Row, Target, paired
from benchmarks.units import kibibytes, mebibytes, milliseconds, per_second, seconds


# Stages cost several times as much a line: so many fewer go through them.
FEWER: Final = 2
ROUNDS: Final = 3
START: Final = Target(ours=0.150)
CONTAINERS: Final = 200
IDLE_SECONDS: Final = 30
PROMTAIL: Final = "promtail"


def log(setting: Setting) -> Iterator[Section]:
    """Yield what a long log costs: beside promtail, and beside plain readings."""
    needs_engine()
    lines = setting.plan.lines
    runs = measure(lines, ROUNDS, setting.folder, stages=False)
    ours, theirs = runs.shipped["ours"], runs.shipped.get(PROMTAIL, [])
    work = f"shipper: {lines:,} lines"
    about = f"docker_sd_configs and relabel_configs, to {receiver_name()}"
    rows = (
        cpu_row(ours, theirs, lines).aim(Target(0.3)),
        *_other_rows(ours, theirs),
        *_start_rows(setting),
    )
    yield Section(work, PROMTAIL, about, rows)
    for name, title in (("bare", "a bare read"), ("docker logs", "docker logs")):
        rows = tuple(_read_rows(ours, runs.reads[name], lines))
        if name == "bare":
            rows = (rows[0].aim(Target(at_least=0.9)), *rows[1:])
        yield Section(work, title, "of the daemon's socket", rows)


def cpu_row(ours: Sequence[Shipped], theirs: Sequence[Shipped], lines: int) -> Row:
    """Return the CPU of a million lines, the start included."""
    return paired(
        "CPU per million lines",
        [run.cpu / lines * 1e6 for run in ours],
        [run.cpu / lines * 1e6 for run in theirs],
        seconds,
    )


def _other_rows(ours: Sequence[Shipped], theirs: Sequence[Shipped]) -> Iterator[Row]:
    yield paired(
        "lines per second",
        [run.lines_per_second for run in ours],
        [run.lines_per_second for run in theirs],
        per_second,
    )
    yield paired(
        "peak RSS",
        [float(run.peak_rss) for run in ours],
        [float(run.peak_rss) for run in theirs],
        mebibytes,
    ).aim(Target(0.6))
    yield paired(
        "start to first line shipped",
        [run.first_line for run in ours],
        [run.first_line for run in theirs],
        seconds,
    ).aim(Target(ours=1.0))


def _start_rows(setting: Setting) -> Iterator[Row]:
    """Yield the time until /metrics answers; promtail's is left out without it."""
    file = setting.folder / "start.yaml"
    # It runs, and finds no container of that label.
    config = configuration(setting.folder, 0, "http://127.0.0.1:9", "none=none")
    file.write_text(json.dumps(config))
    flags = (f"-config.file={file}", "-server.http-listen-port={port}")
    both = [Contender((*each.command, *flags), each.environ) for each in shippers()]
    # Without promtail ours stands in both places, and its own ratio is not shown.
    begins = starts(Pair(both[0], both[-1]), setting.plan.starts, setting.folder)
    theirs = begins[1] if len(both) > 1 else None
    wall = theirs.wall if theirs else []
    row = paired("start to first 200", begins[0].wall, wall, milliseconds)
    yield row.aim(START)
    cpu = theirs.cpu if theirs else []
    used = paired("  CPU until then", begins[0].cpu, cpu, milliseconds)
    yield used.aim(START)


def _read_rows(
    ours: Sequence[Shipped], reads: Sequence[Read], lines: int
) -> Iterator[Row]:
    yield paired(
        "lines per second",
        [run.lines_per_second for run in ours],
        [lines / read.wall for read in reads],
        per_second,
    )
    yield paired(
        "CPU per million lines",
        [run.cpu / lines * 1e6 for run in ours],
        [read.cpu / lines * 1e6 for read in reads],
        seconds,
    )


def stages(setting: Setting) -> Iterator[Section]:
    """Yield what lines cost on their way through four stages."""
    needs_engine()
    programs.original("PROMTAIL")
    lines = max(1, setting.plan.lines // FEWER)
    runs = measure(lines, ROUNDS, setting.folder, stages=True, reads=False)
    ours, theirs = runs.shipped["ours"], runs.shipped[PROMTAIL]
    cpu = cpu_row(ours, theirs, lines).aim(Target(0.5))
    about = f"json, labels, match, timestamp; {lines:,} lines"
    yield Section("shipper: a pipeline", PROMTAIL, about, (cpu,))


def idle(setting: Setting) -> Iterator[Section]:
    """Yield what containers cost that log nothing."""
    needs_engine()
    programs.original("PROMTAIL")
    found = measure_idle(CONTAINERS, IDLE_SECONDS, setting.folder)
    ours, theirs = found["ours"], found[PROMTAIL]
    a, b = ((pair.some.rss - pair.none.rss) / CONTAINERS for pair in (ours, theirs))
    rows = (
        paired("CPU per hour", ours.some.slices, theirs.some.slices, seconds).aim(
            Target(0.5)
        ),
        Row("RSS per container", a, b, kibibytes).aim(Target(0.5)),
        Row("  RSS without a container", ours.none.rss, theirs.none.rss, mebibytes),
    )
    about = f"measured for {IDLE_SECONDS} s"
    yield Section(f"shipper: {CONTAINERS} idle containers", PROMTAIL, about, rows)


def needs_engine() -> None:
    """Raise LeftOutError where there is no Docker Engine."""
    if not Path(SOCKET).is_socket():
        raise LeftOutError(f"{SOCKET}: expected the socket of a Docker Engine")
