"""What a line of the access log costs, beside prometheus-nginxlog-exporter.

    NGINXLOG_EXPORTER=/path/to/it python -m benchmarks.access_log [lines]

Both read the same YAML file and follow the same log, which grows by JSON lines of about
580 bytes with 22 members as nginx_wordpress_reference.conf has them, 500 at a time and
in turns with the other. CPU is each whole process', so following the file is in it.
Without that program ours is measured alone.

2 vCPU EPYC, nothing beside, Debian's Python 3.11.2, 100,000 lines: 31.3 µs of CPU a
line and 43 MiB, theirs 41.3 µs and 28 MiB: 0.76 and 1.52.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final, NamedTuple

import yaml

from benchmarks import programs
from benchmarks.process import BenchmarkError, cpu_seconds, memory, started
from benchmarks.scrape import free_port


LINES: Final = 100_000
BATCH: Final = 500
PATIENCE_SECONDS: Final = 60.0
COUNTED: Final = "nginx_http_response_count_total{"


class Reader(NamedTuple):
    """One program, the log it follows and where it shows what it counted."""

    name: str
    pid: int
    log: Path
    url: str

    def counted(self) -> float:
        """Return how many lines it has counted."""
        try:
            with urllib.request.urlopen(self.url, timeout=5) as answer:
                page = answer.read().decode()
        except OSError:
            return -1.0
        lines = [line for line in page.splitlines() if line.startswith(COUNTED)]
        return sum(float(line.rpartition(" ")[2]) for line in lines)

    def wait(self, count: float) -> None:
        """Wait until *count* lines are counted."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.counted() < count:
            if time.monotonic() > deadline:
                raise BenchmarkError(f"{self.name} counted {self.counted()} of {count}")
            time.sleep(0.05)


def requests(count: int) -> Iterator[bytes]:
    """Yield the lines of *count* requests, the same ones each time."""
    rng = random.Random(6)
    for number in range(count):
        seconds = round(rng.lognormvariate(-3, 1.2), 3)
        request = {
            "time_iso8601": "2026-08-01T12:00:00+00:00",
            "msec": f"1785585600.{number % 1000:03}",
            "remote_addr": f"203.0.113.{number % 256}",
            "host": "www.example.org",
            "request": f"{rng.choice(('GET', 'GET', 'POST', 'HEAD'))} /posts/{number}/",
            "args": "utm_source=newsletter",
            "status": rng.choice(("200", "200", "200", "304", "404", "500")),
            "body_bytes_sent": rng.randrange(100_000),
            "request_length": rng.randrange(200, 2000),
            "request_time": seconds,
            "upstream_response_time": f"{seconds:.3f}",
            "upstream_connect_time": "0.000",
            "upstream_header_time": f"{seconds:.3f}",
            "upstream_status": "200",
            "cache": "MISS",
            "referer": "https://www.example.org/",
            "ua": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
            "xff": "",
            "request_id": f"{rng.getrandbits(128):032x}",
            "proto": "HTTP/2.0",
            "scheme": "https",
            "server_port": "443",
        }
        yield json.dumps(request, separators=(",", ":")).encode() + b"\n"


def configuration(folder: Path, log: Path, port: int) -> Path:
    """Write the file that both programs read, and return its path."""
    source = {"files": [str(log)]}
    namespace = {"name": "nginx", "parser": "json", "format": "-", "source": source}
    listen = {"address": "127.0.0.1", "port": port}
    file = folder / f"{log.stem}.yaml"
    file.write_text(yaml.safe_dump({"listen": listen, "namespaces": [namespace]}))
    return file


def start(name: str, folder: Path, stack: ExitStack) -> Reader:
    """Start the program *name*, ``ours`` or ``theirs``, with a log of its own."""
    log, port = folder / f"{name}.log", free_port()
    log.touch()
    file = configuration(folder, log, port)
    if name == "ours":
        command = [
            programs.interpreter().path,
            *("-m", "exporters.nginx", f"--web.listen-address=127.0.0.1:{port}"),
            *("--nginx.scrape-uri=", f"--accesslog.config-file={file}"),
        ]
        environ = programs.python_path()
    else:
        command = [os.environ["NGINXLOG_EXPORTER"], "-config-file", str(file)]
        environ = programs.environment()
    running = stack.enter_context(started(command, environ, folder))
    reader = Reader(name, running.pid, log, f"http://127.0.0.1:{port}/metrics")
    reader.wait(0)
    return reader


def main(argv: Sequence[str]) -> int:
    """Write lines to the logs in turns; print what each program spent on one."""
    count = int(argv[0]) if argv else LINES
    lines = list(requests(count))
    names = ["ours", "theirs"] if os.environ.get("NGINXLOG_EXPORTER") else ["ours"]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        readers = [start(name, folder, stack) for name in names]
        before = [cpu_seconds(reader.pid) for reader in readers]
        for first in range(0, count, BATCH):
            batch = b"".join(lines[first : first + BATCH])
            for reader in readers:
                with reader.log.open("ab") as log:
                    log.write(batch)
        for reader in readers:
            reader.wait(count)
        spent = [
            (cpu_seconds(reader.pid) - began) / count * 1e6
            for reader, began in zip(readers, before, strict=True)
        ]
        sizes = [memory(reader.pid).rss / 2**20 for reader in readers]
    for name, microseconds, size in zip(names, spent, sizes, strict=True):
        print(f"{name:8} {microseconds:6.1f} µs of CPU a line, {size:.0f} MiB")
    if len(spent) == 2:
        print(f"ratio    {spent[0] / spent[1]:.2f} CPU, {sizes[0] / sizes[1]:.2f} RSS")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
