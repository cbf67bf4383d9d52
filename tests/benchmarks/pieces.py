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

from exporters.nginx.metrics import nginx_metrics
from exporters.nginx.stub_status import parse_stub_status
from exporters.node.registry import Context, Registry, flags
from exporters.toolkit.decode import decode
from exporters.toolkit.exposition import encode
from exporters.toolkit.flags import Program
from exporters.toolkit.http.reader import Reader
from exporters.toolkit.http.response import Response, encode as encode_response
from exporters.toolkit.metric import Metric
from shipper.docker.frames import Demuxer
from shipper.loki.encode import encode_push
from shipper.pipeline.entry import AlwaysRoom, Cursor, Entry, Labels, Streams
from shipper.pipeline.pipeline import Pipeline
from shipper.pipeline.stage import Workshop
from shipper.pipeline.stages import StageEntry
from tests.benchmarks.guard import (
    Cost,
    Piece,
    Work,
    calibration,
    plain_reading,
    undisturbed,
)
from tests.node import golden


# Every collector that reads a table or a list of values, on a host that is a file.
FILES: Final = (
    *("cpu", "diskstats", "filefd", "loadavg", "meminfo", "netdev", "netstat"),
    *("pressure", "schedstat", "sockstat", "softnet", "stat", "vmstat"),
)
INTERFACES: Final = 20
LINES: Final = 500
# So many come with one read of a socket or a file.
READ: Final = 100
TARGETS: Final = 50
PAGE: Final = (
    b"Active connections: %d \nserver accepts handled requests\n %d %d %d \n"
    b"Reading: 0 Writing: %d Waiting: 0 \n"
)
REQUESTS: Final = 50
REQUEST: Final = (
    b"GET /metrics HTTP/1.1\r\nHost: node:9100\r\nUser-Agent: Prometheus/3.13.3\r\n"
    b"Accept: text/plain;version=0.0.4;q=0.5,*/*;q=0.1\r\nAccept-Encoding: gzip\r\n"
    b"X-Prometheus-Scrape-Timeout-Seconds: 10\r\n\r\n"
)
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
    return reading(folder, lambda: [collected(registry) for registry in registries])


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
    return reading(folder, lambda: collected(registry))


def reading(folder: Path, run: Work) -> Piece:
    """Return *run*, which reads all files below *folder*, as a piece."""
    paths = [str(path) for path in folder.rglob("*") if path.is_file()]
    return Piece(run, plain_reading(paths))


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

    return Piece(twice, calibration)


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


def nginx(_: Path) -> Piece:
    """Read the pages of many nginx and print their metrics."""
    labels = [{"addr": f"http://10.0.0.{n}/stub_status"} for n in range(TARGETS)]
    pages = [PAGE % (n, n, n, n * 3, n) for n in range(TARGETS)]

    def read() -> bytes:
        statuses = map(parse_stub_status, pages)
        return encode(nginx_metrics(zip(labels, statuses, strict=True)))

    return Piece(read, calibration)


def requests(_: Path) -> Piece:
    """Take requests of a Prometheus that stays connected, and answer them."""
    answer = Response(200, {"Content-Type": "text/plain"}, bytes(1000))

    def serve() -> None:
        reader = Reader()
        for _ in range(REQUESTS):
            reader.feed(REQUEST)
            request = reader.next()
            assert request is not None
            encode_response(answer, request, keep_alive=True)

    return Piece(serve, calibration)


def frames(_: Path) -> Piece:
    """Take lines with their times out of what a Docker Engine sends."""
    data = b"".join(
        struct.pack(">BxxxL", 1, len(record)) + record
        for record in map(_record, _lines())
    )
    return Piece(lambda: Demuxer().feed(data), calibration)


def _record(entry: Entry) -> bytes:
    nanoseconds = entry.timestamp_ns - NOW_NS
    return b"2026-11-18T13:46:%02d.%09dZ %b\n" % (
        *divmod(nanoseconds, 10**9),
        entry.line,
    )


def push(_: Path) -> Piece:
    """Make the body of a push."""
    entries = _lines()
    return Piece(lambda: encode_push('{container="web"}', entries), calibration)


def pipeline(_: Path) -> Piece:
    """Take JSON lines through four stages."""
    text = json.dumps(STAGES).encode()
    stages = decode(text, tuple[StageEntry, ...], "stages.yaml")
    road = Pipeline(stages, Workshop(), Nowhere())
    lines, labels, cursor = _lines(), (("container", "web"),), Source()

    async def through() -> None:
        for start in range(0, LINES, READ):
            entries = lines[start : start + READ]
            await road.put_all(((labels, entries),), cursor)

    return Piece(lambda: asyncio.run(through()), calibration)


class Nowhere(AlwaysRoom):
    """A sink that has sent everything at once."""

    async def put(self, labels: Labels, entry: Entry, cursor: Cursor) -> None:
        cursor.acknowledge((entry,))

    async def put_all(self, streams: Streams, cursor: Cursor) -> None:
        for _, entries in streams:
            cursor.acknowledge(entries)


class Source:
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
    for piece in (files, netclass, exposition, nginx, requests, frames, push, pipeline)
}


def costs() -> dict[str, Cost]:
    """Measure all of them."""
    found = {}
    for name, made in ALL.items():
        with tempfile.TemporaryDirectory() as folder:
            found[name] = undisturbed(made(Path(folder)))
    return found
