"""What a line costs on its way through a pipeline, beside promtail.

    PROMTAIL=/path/to/it python -m benchmarks.pipeline [name...]
    python -m benchmarks.pipeline --alone [name...]

Both follow a file of the same lines and push to a Loki that answers 204, in turns; CPU
is each whole process', from its start to the last line, less that of a start without
lines. Without PROMTAIL ours is measured alone.
``--alone`` puts lines through our stages only: no file, no batch, no push.
The pipelines are in ``benchmarks/pipelines.yaml``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import statistics
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from benchmarks import programs
from benchmarks.measure import Contender
from benchmarks.process import BenchmarkError, cpu_seconds, memory, started
from benchmarks.scrape import free_port


LINES: Final = 200_000
ROUNDS: Final = 3
PATIENCE_SECONDS: Final = 120.0
CASES: Final = Path(__file__).with_name("pipelines.yaml")
START: Final = 1_795_000_000
"""When the first line was written."""
EVERY_NS: Final = 200_000
"""So long after the line before: 5,000 lines a second."""
TOGETHER: Final = 128
"""Lines that a source puts at once."""
_DONE: Final = re.compile(
    r"^(?:promtail_sent_entries_total|logentry_dropped_lines_total)\{.*\} (\S+)$",
    re.MULTILINE,
)


class Case(NamedTuple):
    """Stages, the kind of lines they are for, and how many of these become one."""

    name: str
    kind: str
    stages: Sequence[Any]
    together: int = 1

    @property
    def text(self) -> str:
        """Return the stages as YAML."""
        return json.dumps(self.stages)


def cases() -> dict[str, Case]:
    """Return all cases by name."""
    found = yaml.safe_load(CASES.read_text())
    return {
        name: Case(name, case["lines"], case["stages"], case.get("together", 1))
        for name, case in found.items()
    }


# -- lines


def _stamp(number: int) -> tuple[str, int]:
    """Return the time of line *number*, to the second and the nanoseconds beyond."""
    seconds, nanos = divmod(START * 10**9 + number * EVERY_NS + number % 1000, 10**9)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)), nanos


def _json(number: int) -> str:
    second, nanos = _stamp(number)
    fields: dict[str, Any] = {
        "time": f"{second}.{nanos:09}Z",
        "ms": str(START * 1000 + number // 5),
        "level": ("info", "info", "warn", "error")[number % 4],
        "app": ("shop", "blog")[number % 5 == 0],
        "msg": f"GET /cart/{number} took {number % 97} ms",
        "user": {"id": number, "name": f"ann{number % 50}"},
        "tags": ["a", "b"],
        "duration": number % 997 / 1000,
        "trace_id": f"{number:032x}",
    }
    if number % 4 == 3:
        fields["error"] = {"code": f"E{number % 7}", "text": "no stock"}
    return json.dumps(fields, separators=(",", ":"))


def _nginx(number: int) -> str:
    when = time.strftime("%d/%b/%Y:%H:%M:%S", time.gmtime(START + number // 5000))
    method = ("GET", "GET", "POST")[number % 3]
    status = (200, 200, 304, 404)[number % 4]
    return (
        f'203.0.113.{number % 250} - - [{when} +0000] "{method} /posts/{number}/ '
        f'HTTP/1.1" {status} {number % 20000} "-" "Mozilla/5.0 (X11; Linux x86_64)"'
    )


def _docker(number: int) -> str:
    second, nanos = _stamp(number)
    log = {"log": _json(number) + "\n", "stream": "stdout"}
    return json.dumps({**log, "time": f"{second}.{nanos:09}Z"}, separators=(",", ":"))


def _cri(number: int) -> str:
    second, nanos = _stamp(number)
    return f"{second}.{nanos:09}Z stdout F {_nginx(number)}"


def _logfmt(number: int) -> str:
    second, _ = _stamp(number)
    level = ("info", "info", "warn", "error")[number % 4]
    return (
        f'ts={second}Z level={level} msg="request number {number} served" '
        f"status={(200, 404)[number % 9 == 0]} path=/posts/{number % 100} took=0.01"
    )


def _trace(number: int) -> str:
    if number % 5:
        return f"    at org.example.shop.Cart.add(Cart.java:{number % 400})"
    second, _ = _stamp(number)
    return f"{second} ERROR request {number} failed: java.lang.IllegalStateException"


KINDS: Final[Mapping[str, Callable[[int], str]]] = {
    "json": _json,
    "nginx": _nginx,
    "docker": _docker,
    "cri": _cri,
    "logfmt": _logfmt,
    "trace": _trace,
}


# -- both programs


class _Loki(BaseHTTPRequestHandler):
    """Answers 204 to everything."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def do_GET(self) -> None:
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def loki() -> Iterator[int]:
    """Run a Loki that takes everything; yield its port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Loki)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def configuration(case: Case, log: Path, port: int, loki_port: int) -> str:
    """Return a promtail.yaml that follows *log* through the stages of *case*."""
    return json.dumps({
        "server": {
            "http_listen_address": "127.0.0.1", "http_listen_port": port,
            "grpc_listen_port": 0,
        },
        "positions": {"filename": str(log.with_suffix(f".{port}.positions"))},
        "clients": [{"url": f"http://127.0.0.1:{loki_port}/loki/api/v1/push"}],
        "scrape_configs": [{
            "job_name": "bench",
            "static_configs": [{
                "targets": ["localhost"],
                "labels": {"job": "bench", "__path__": str(log)},
            }],
            "pipeline_stages": case.stages,
        }],
    })  # fmt: skip


class Cost(NamedTuple):
    """What a run took: CPU seconds until the last line, and memory at the end."""

    cpu: float
    rss: int


def run(program: Contender, case: Case, log: Path, wanted: int) -> Cost:
    """Run *program* until *wanted* entries are decided."""
    port = free_port()
    config = log.with_suffix(f".{port}.yaml")
    with loki() as loki_port:
        config.write_text(configuration(case, log, port, loki_port))
        command = (*program.command, f"-config.file={config}")
        with started(command, program.environ, log.parent) as running:
            deadline = time.monotonic() + PATIENCE_SECONDS
            while _decided(port) < wanted:
                running.check()
                if time.monotonic() > deadline:
                    raise BenchmarkError(f"{case.name}: {_decided(port)} of {wanted}")
                time.sleep(0.3)  # a scrape is not free
            return Cost(cpu_seconds(running.pid), memory(running.pid).rss)


def _decided(port: int) -> float:
    """Return how many entries were sent or dropped; -1: there is no answer yet."""
    url = f"http://127.0.0.1:{port}/metrics"
    try:
        with urllib.request.urlopen(url, timeout=5) as page:
            return sum(map(float, _DONE.findall(page.read().decode())))
    except OSError:
        return -1.0


def write_lines(case: Case, path: Path, count: int) -> None:
    """Write *count* lines of the kind of *case*."""
    make = KINDS[case.kind]
    with path.open("w") as file:
        file.writelines(f"{make(number)}\n" for number in range(count))


def contenders() -> list[Contender]:
    """Return ours and, if PROMTAIL names it, the original."""
    python = programs.interpreter()
    ours = Contender((python.path, "-m", "shipper"), programs.python_path())
    if not os.environ.get("PROMTAIL"):
        return [ours]
    theirs = (programs.original("PROMTAIL"),)
    return [ours, Contender(theirs, programs.environment())]


def beside(case: Case, folder: Path, lines: int, rounds: int) -> None:
    """Print what both take for *case*."""
    log, empty = folder / f"{case.name}.log", folder / f"{case.name}.empty.log"
    write_lines(case, log, lines)
    empty.touch()
    both = contenders()
    wanted = lines // case.together
    if case.together > 1:
        wanted -= 1  # the last block waits for its time
    took: list[list[Cost]] = [[] for _ in both]
    for number in range(rounds):
        for index in range(len(both))[:: 1 if number % 2 else -1]:
            took[index].append(run(both[index], case, log, wanted))
    idle = [run(each, case, empty, 0).cpu for each in both]
    cells = []
    for costs, start in zip(took, idle, strict=True):
        cpu = statistics.median(cost.cpu - start for cost in costs) / lines * 1e6
        rss = max(cost.rss for cost in costs) / 2**20
        cells.append((cpu, rss))
    text = "".join(f"{cpu:9.2f}{rss:7.0f}" for cpu, rss in cells)
    ratio = f"{cells[0][0] / cells[1][0]:7.2f}" if len(cells) > 1 else ""
    print(f"{case.name:18}{text}{ratio}", flush=True)


# -- our stages alone


def alone(case: Case, lines: int, rounds: int) -> float:
    """Return the CPU of one line in µs, the least of *rounds*."""
    data = [KINDS[case.kind](number).encode() for number in range(lines)]
    return min(asyncio.run(_through(case, data)) for _ in range(rounds)) / lines * 1e6


async def _through(case: Case, data: Sequence[bytes]) -> float:
    from exporters.toolkit.decode import decode  # noqa: PLC0415 - ours are not needed to measure others
    from shipper.pipeline.entry import (  # noqa: PLC0415
        AlwaysRoom,
        Cursor,
        Entry,
        Labels,
        Streams,
    )
    from shipper.pipeline.pipeline import Pipeline  # noqa: PLC0415
    from shipper.pipeline.stage import Workshop  # noqa: PLC0415
    from shipper.pipeline.stages import StageEntry  # noqa: PLC0415

    class Null(AlwaysRoom):
        async def put(self, labels: Labels, entry: Entry, cursor: Cursor) -> None:
            raise NotImplementedError("nobody puts one entry alone")

        async def put_all(self, streams: Streams, cursor: Cursor) -> None:
            for _, entries in streams:
                cursor.acknowledge(entries)

    class Reader:
        def acknowledge(self, entries: Sequence[Entry]) -> None:
            pass

    stages = decode(case.text.encode(), tuple[StageEntry, ...], "bench.yaml")
    pipeline = Pipeline(stages, Workshop(), Null())
    labels, cursor = (("filename", "/var/log/x.log"), ("job", "bench")), Reader()
    before = time.process_time()
    for start in range(0, len(data), TOGETHER):
        entries = [
            Entry(START * 10**9, line) for line in data[start : start + TOGETHER]
        ]
        await pipeline.put_all(((labels, entries),), cursor)
    return time.process_time() - before


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is asked for; return the exit code."""
    known = cases()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pipeline")
    parser.add_argument("--alone", action="store_true")
    parser.add_argument("--lines", type=int, default=LINES)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("name", nargs="*", choices=[[], *known])
    options = parser.parse_args(arguments)
    wanted = [known[name] for name in options.name or known]
    try:
        if options.alone:
            for case in wanted:
                cost = alone(case, options.lines, options.rounds)
                print(f"{case.name:18}{cost:9.2f}", flush=True)
            return 0
        print(f"{'':18}{'µs/line':>9}{'MiB':>7}{'theirs':>9}{'MiB':>7}{'ratio':>7}")
        with tempfile.TemporaryDirectory() as folder:
            for case in wanted:
                beside(case, Path(folder), options.lines, options.rounds)
    except BenchmarkError as error:
        print(f"benchmarks.pipeline: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
