"""The node exporters on a host with 200 interfaces, 500 mounts and 64 disks.

Measured with a quarter, a half and all of them, so that the cost of one more is known.
The host is made in namespaces of a child, `python -m benchmarks.devices`, which only
the part of this name starts: see hardware.py. It needs root.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from benchmarks import programs
from benchmarks.compare import Aims, scrape_rows, size_rows
from benchmarks.growth import growth
from benchmarks.hardware import Devices, Host, run
from benchmarks.measure import Measured, Pair, Plan, scrapes
from benchmarks.node import VARIABLES
from benchmarks.part import Section, Setting
from benchmarks.process import BenchmarkError, LeftOutError, last_lines
from benchmarks.report import rows_from_json, rows_to_json
from benchmarks.summary import Row, Target, paired
from benchmarks.units import microseconds, times


ALL: Final = Devices(interfaces=200, mounts=500, disks=64)
SHARES: Final = (0.25, 0.5, 1.0)
CPU: Final = Target(0.6)
# Twice the devices at twice the cost, and a quarter more for noise.
LINEAR: Final = Target(ours=1.25)
# A scrape of so many devices takes some ten times as long.
FEWER: Final = 10
UNSHARE: Final = (
    *("unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc"),
    "--kill-child",
)
PATIENCE_SECONDS: Final = 600.0
# The exit code of a child that cannot make the devices here.
LEFT_OUT: Final = 3


def sections(setting: Setting) -> Iterator[Section]:
    """Yield a section for each original that is named.

    Raises LeftOutError where no namespaces can be made.
    """
    _check()
    scraped = max(1, setting.plan.scrapes // FEWER)
    fewer = setting._replace(plan=setting.plan._replace(scrapes=scraped))
    for index, peer in enumerate(programs.peers("node_exporter", *VARIABLES)):
        folder = setting.folder / f"devices-{index}"
        folder.mkdir()
        kind, rows = in_namespaces(fewer, peer.path, ALL, folder)
        about = f"{peer.version}\n{ALL}; interfaces of the kind {kind}"
        yield Section("node: many devices", peer.name, about, rows)


def _check() -> None:
    if os.geteuid():
        raise LeftOutError("expected root, which namespaces and mounts need")
    try:
        run(*UNSHARE, "true")
    except LeftOutError as error:
        raise LeftOutError(f"no namespaces here: {error}") from None


def in_namespaces(
    setting: Setting, theirs: str, devices: Devices, folder: Path
) -> tuple[str, tuple[Row, ...]]:
    """Measure in namespaces of a child; return the kind of interfaces and the rows."""
    plan = setting.plan
    numbers = map(str, (plan.scrapes, plan.rounds, *devices))
    child = subprocess.run(
        [
            *UNSHARE,
            sys.executable,
            "-m",
            "benchmarks.devices",
            theirs,
            folder,
            *numbers,
        ],
        cwd=programs.ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    if child.returncode:
        kind = LeftOutError if child.returncode == LEFT_OUT else BenchmarkError
        raise kind(last_lines(child.stderr, 1))
    answer = json.loads(child.stdout)
    return answer["kind"], tuple(rows_from_json(answer["rows"]))


def main(argv: Sequence[str]) -> int:
    """Measure in the namespaces of this process; print the rows as JSON."""
    theirs, folder = argv[0], Path(argv[1])
    scraped, rounds, *numbers = map(int, argv[2:])
    try:
        host = Host(folder)
        pair, _ = programs.node_pair(programs.interpreter(), theirs)
        steps = [Devices(*numbers).share(share) for share in SHARES]
        rows = list(measure(host, steps, pair, Plan(scraped, rounds), folder))
    except BenchmarkError as error:
        print(error, file=sys.stderr)
        return LEFT_OUT if isinstance(error, LeftOutError) else 1
    print(json.dumps({"kind": host.kind, "rows": rows_to_json(rows)}))
    return 0


def measure(
    host: Host, steps: Sequence[Devices], pair: Pair, plan: Plan, folder: Path
) -> Iterator[Row]:
    """Let *host* grow in *steps*, measure *pair* at each, and yield the rows."""
    sizes: dict[int, Measured] = {}
    for devices in steps:
        host.grow(devices)
        # Both answers, plain and compressed, matter at the last step alone.
        kinds = ["gzip", "plain"] if devices == steps[-1] else ["gzip"]
        sizes[sum(devices)] = measured = scrapes(pair, plan, folder, kinds)
    for kind, both in measured.series.items():
        yield from scrape_rows(kind, both, Aims(cpu=CPU))
    yield from growth_rows(sizes)
    yield from size_rows(measured)


def growth_rows(sizes: Mapping[int, Measured]) -> Iterator[Row]:
    """Yield what a device costs, and how the cost bends, of the scrapes with gzip."""
    ours, original = (
        growth({size: each.series["gzip"][which].cpu for size, each in sizes.items()})
        for which in (0, 1)
    )
    slopes = paired("growth per device", ours.slopes, original.slopes, microseconds)
    yield slopes.aim(CPU)
    bend = Row("  half to all / quarter to half", ours.bend, original.bend, times)
    yield bend.aim(LINEAR)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
