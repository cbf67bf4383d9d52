"""Lines a second into the embedded store, and how long queries take out of it.

    python -m benchmarks.store [lines]

Starts `shipper.store` as a process with its rate limits lifted, pushes nginx-like
lines of 120 bytes in 20 streams, 1,000 lines a push, from four connections, and asks.

2 vCPU EPYC shared with other builds, pyenv 3.11.7 (no PGO), 200,000 lines: 61,000
lines/s, 11.5 s of CPU per million lines (Loki: 3.9), p50 52 ms and p99 143 ms a push,
150 bytes a line in the file, 77 MiB at the peak. Queries over all of it: newest 100
lines 2 ms, a rare word 57 ms, a regular expression on one stream 16 ms, counts per
container and minute 80 ms.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from shipper.loki.encode import encode_push
from shipper.pipeline.entry import Entry


PORT: Final = 33177
CLIENTS: Final = 4
STREAMS: Final = 20
LINES_PER_PUSH: Final = 1000
UNLIMITED: Final = (
    "--distributor.ingestion-rate-limit-mb=100000",
    "--distributor.ingestion-burst-size-mb=100000",
    "--ingester.per-stream-rate-limit=10GB",
    "--ingester.per-stream-rate-limit-burst=10GB",
    "--no-validation.discover-log-levels",
)
LINE: Final = (
    '172.18.0.1 - - [22/Nov/2026:17:31:00 +0000] "GET /wp-content/%07d.css HTTP/1.1" '
    '200 5120 "-" "curl/7.88.1" 0.00%d'
)
QUERIES: Final = (
    ("last 100 lines of everything", '{container=~".+"}'),
    ("100 lines with a rare word", '{container=~".+"} |= "0000042.css"'),
    ("regular expression, one stream", '{container="c3"} |~ "00+42[.]css"'),
    ("count per container, 1 h",
     'sum by (container)(count_over_time({container=~".+"}[1m]))'),
    ("rate of a word, 1 h", 'sum(rate({container=~".+"} |= "curl"[1m]))'),
)  # fmt: skip


def bodies(client: int, lines: int, first: int) -> list[bytes]:
    """Return the pushes of one client, encoded beforehand."""
    found = []
    for number in range(lines // LINES_PER_PUSH):
        start = first + number * LINES_PER_PUSH * 1000
        stream = (number * CLIENTS + client) % STREAMS
        entries = [
            Entry(start + n * 1000, (LINE % (number * 1000 + n, n % 10)).encode())
            for n in range(LINES_PER_PUSH)
        ]
        found.append(encode_push(f'{{container="c{stream}"}}', entries))
    return found


def push(pushes: list[bytes]) -> list[float]:
    """Push over one connection; return the seconds each push took."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT)
    took = []
    headers = {"Content-Type": "application/x-protobuf"}
    for body in pushes:
        started = time.perf_counter()
        connection.request("POST", "/loki/api/v1/push", body, headers)
        response = connection.getresponse()
        text = response.read()
        if response.status != 204:
            raise SystemExit(f"push: {response.status} {text!r}")
        took.append(time.perf_counter() - started)
    return took


def ask(query: str) -> tuple[float, int]:
    """Return the seconds *query* took over the last hour, and its result's size."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT)
    parameters = urllib.parse.urlencode({"query": query, "step": 60})
    started = time.perf_counter()
    connection.request("GET", f"/loki/api/v1/query_range?{parameters}")
    body = connection.getresponse().read()
    seconds = time.perf_counter() - started
    return seconds, len(json.loads(body)["data"]["result"])


def cpu_seconds(pid: int) -> float:
    """Return what process *pid* has used."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mib(pid: int) -> float:
    """Return the most memory process *pid* has held."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        found = next(line for line in file if line.startswith("VmHWM"))
    return int(found.split()[1]) / 1024


def measure(pid: int, path: str, lines: int) -> None:
    """Push *lines* and ask, printing as it goes."""
    first = time.time_ns() - 3_000_000_000_000
    share = lines // CLIENTS
    prepared = [bodies(client, share, first + client) for client in range(CLIENTS)]
    before, started = cpu_seconds(pid), time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as clients:
        took = sorted(t for part in clients.map(push, prepared) for t in part)
    wall = time.perf_counter() - started
    cpu = (cpu_seconds(pid) - before) / lines * 1e6
    print(f"pushed {lines} lines: {lines / wall:,.0f} lines/s, {cpu:.1f} CPU s/Mline")
    middle, worst = took[len(took) // 2], took[int(len(took) * 0.99)]
    print(
        f"push of {LINES_PER_PUSH}: p50 {middle * 1e3:.0f} ms, p99 {worst * 1e3:.0f} ms"
    )
    print(f"file {os.stat(path).st_size / lines:.0f} B/line", end=", ")
    for name, query in QUERIES:
        seconds, size = min(ask(query) for _ in range(3))
        print(f"\n{name}: {seconds * 1e3:.0f} ms ({size} in the result)", end="")
    print(f"\npeak memory {resident_mib(pid):.0f} MiB")


def main() -> None:
    """Start a store, measure, stop it."""
    lines = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/logs.db"
        command = [
            sys.executable, "-m", "shipper.store", f"--storage.path={path}",
            f"--web.listen-address=127.0.0.1:{PORT}", *UNLIMITED,
        ]  # fmt: skip
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as store:
            assert store.stderr is not None
            next(line for line in store.stderr if "Listening" in line)
            try:
                measure(store.pid, path, lines)
            finally:
                store.terminate()


if __name__ == "__main__":
    main()
