"""The pieces of our code that run for every sample and every line."""

from __future__ import annotations

import asyncio
import itertools
import json
import struct
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from exporters.node.registry import Context, Registry, flags
from exporters.toolkit.decode import decode
from exporters.toolkit.exposition import encode
from exporters.toolkit.flags import Program
from exporters.toolkit.metric import Metric
from shipper.docker.frames import Demuxer
from shipper.loki.encode import encode_push
from shipper.pipeline.entry import AlwaysRoom, Cursor, Entry, Labels
from shipper.pipeline.pipeline import Pipeline
from shipper.pipeline.stage import Workshop
from shipper.pipeline.stages import StageEntry
from tests.benchmarks.guard import Cost, Piece, cost
from tests.node import golden


# Every collector that reads a table or a list of values, on a host that is a file.
FILES: Final = (
    *("cpu", "diskstats", "filefd", "loadavg", "meminfo", "netdev", "netstat"),
    *("pressure", "schedstat", "sockstat", "softnet", "stat", "vmstat"),
)
INTERFACES: Final = 20
LINES: Final = 500
NOW_NS: Final = 1_795_000_000 * 10**9
STAGES: Final = (
    {"json": {"expressions": {"level": "level", "time": "time", "app": "app"}}},
    {"labels": {"level": "", "app": ""}},
    {
        "match": {
            "selector": '{app="web"} |= "error"',
            "stages": [{"static_labels": {"failed": "yes"}}],
        }
    },
    {"timestamp": {"source": "time", "format": "RFC3339Nano"}},
)


def files(folder: Path) -> Piece:
    """Read and parse the files of a host."""
    registries = hosts(folder)
    return lambda: [collected(registry) for registry in registries]


def netclass(folder: Path) -> Piece:
    """Read and parse what the kernel says of 20 interfaces."""
    text = (golden.FOLDER / "netclass.tree").read_text()
    one = [line for line in text.splitlines() if line.startswith("sys/class/net/eth0/")]
    lines = [
        line.replace("/eth0/", f"/eth{number}/")
        for number in range(INTERFACES)
        for line in one
    ]
    registry = planted("netclass", "\n".join(lines) + "\n", folder / "netclass")
    return lambda: collected(registry)


def exposition(folder: Path) -> Piece:
    """Print the metrics of such a host twice, no number the same as before."""
    families = [metric for registry in hosts(folder) for metric in collected(registry)]
    numbers = itertools.count(1)

    def twice() -> None:
        for _ in range(2):
            number = next(numbers)
            for family in families:
                family.values = [value + number for value in family.values]
            encode(families)

    return twice


def hosts(folder: Path) -> list[Registry]:
    """Return a collector for each of FILES, with a host of its own below *folder*."""
    return [
        planted(name, (golden.FOLDER / f"{name}.tree").read_text(), folder / name)
        for name in FILES
    ]


def planted(name: str, text: str, root: Path) -> Registry:
    """Return the collector *name*, of a host *text* that is made at *root*."""
    root.mkdir(parents=True)
    spec = golden.spec_of(golden.FOLDER / f"{name}.tree")
    program = Program("node_exporter", "", flags([spec]))
    values = program.parse([f"--collector.{name}"], {})
    return Registry([spec], Context(golden.planted(text, root), values))


def collected(registry: Registry) -> list[Metric]:
    """Return what the collectors of *registry* say in one scrape."""
    registry.begin_scrape()
    return [metric for collect in registry.enabled.values() for metric in collect()]


def frames(_: Path) -> Piece:
    """Take lines with their times out of what a Docker Engine sends."""
    data = b"".join(
        struct.pack(">BxxxL", 1, len(record)) + record
        for record in map(_record, _lines())
    )
    return lambda: Demuxer().feed(data)


def _record(entry: Entry) -> bytes:
    nanoseconds = entry.timestamp_ns - NOW_NS
    return b"2026-11-18T13:46:%02d.%09dZ %b\n" % (
        *divmod(nanoseconds, 10**9),
        entry.line,
    )


def push(_: Path) -> Piece:
    """Make the body of a push."""
    entries = _lines()
    return lambda: encode_push('{container="web"}', entries)


def pipeline(_: Path) -> Piece:
    """Take JSON lines through four stages."""
    text = json.dumps(STAGES).encode()
    stages = decode(text, tuple[StageEntry, ...], "stages.yaml")
    road = Pipeline(stages, Workshop(), Nowhere())
    entries, labels, cursor = _lines(), (("container", "web"),), Reader()

    async def through() -> None:
        for entry in entries:
            await road.put(labels, entry, cursor)

    return lambda: asyncio.run(through())


class Nowhere(AlwaysRoom):
    """A sink that has sent everything at once."""

    async def put(self, labels: Labels, entry: Entry, cursor: Cursor) -> None:
        cursor.acknowledge((entry,))


class Reader:
    """A source that has nothing to remember."""

    def acknowledge(self, entries: Sequence[Entry]) -> None:
        pass


def _lines() -> list[Entry]:
    """Return lines of about 120 bytes, 100 of them a second."""
    return [
        Entry(
            NOW_NS + number * 10**7 + number,
            b'{"time":"2026-11-18T13:46:%02d.%09dZ","level":"%b","app":"web",'
            b'"path":"/posts/%08d/","status":200,"msg":"served"}'
            % (
                number // 100,
                number,
                b"error" if number % 10 == 0 else b"info",
                number,
            ),
        )
        for number in range(LINES)
    ]


ALL: Final[Mapping[str, Callable[[Path], Piece]]] = {
    piece.__name__: piece
    for piece in (files, netclass, exposition, frames, push, pipeline)
}


def costs() -> dict[str, Cost]:
    """Measure all of them."""
    found = {}
    for name, made in ALL.items():
        with tempfile.TemporaryDirectory() as folder:
            found[name] = cost(made(Path(folder)))
    return found
