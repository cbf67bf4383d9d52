"""The same questions to the store and, where `LOKI=` names the binary, to Loki itself.

The store's answers must be Loki's. Where no binary is given only the store is asked,
and the skip says so.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from shipper.loki.encode import encode_push
from shipper.pipeline.entry import Entry


pytestmark = [pytest.mark.oracle, pytest.mark.timeout(180)]

SECOND = 10**9
PUSH = "/loki/api/v1/push"
JSON = {"Content-Type": "application/json"}
PROTOBUF = {"Content-Type": "application/x-protobuf"}
LOKI_CONFIG = """
auth_enabled: false
server:
  http_listen_address: 127.0.0.1
  http_listen_port: {port}
  grpc_listen_port: 0
common:
  instance_addr: 127.0.0.1
  path_prefix: {folder}
  replication_factor: 1
  storage: {{filesystem: {{chunks_directory: {folder}/c, rules_directory: {folder}/r}}}}
  ring: {{kvstore: {{store: inmemory}}}}
schema_config:
  configs:
    - from: 2024-01-01
      store: tsdb
      object_store: filesystem
      schema: v13
      index: {{prefix: index_, period: 24h}}
analytics: {{reporting_enabled: false}}
"""


class Server:
    """A log store behind HTTP, ours or Loki."""

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"

    def ask(
        self,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, str]:
        request = urllib.request.Request(self.address + path, body, headers or {})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def get(self, path: str, **parameters: Any) -> tuple[int, Any]:
        query = urllib.parse.urlencode(parameters)
        status, text = self.ask(f"/loki/api/v1/{path}?{query}")
        return status, json.loads(text) if status == 200 else text

    def push_json(self, labels: dict[str, str], *values: list[Any]) -> tuple[int, str]:
        body = {"streams": [{"stream": labels, "values": values}]}
        return self.ask(PUSH, json.dumps(body).encode(), JSON)

    def push(self, labels: str, *entries: Entry) -> tuple[int, str]:
        return self.ask(PUSH, encode_push(labels, entries), PROTOBUF)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def command(name: str, folder: Path, port: int) -> list[str]:
    if name == "store":
        return [
            sys.executable, "-m", "shipper.store",
            f"--storage.path={folder}/store.db",
            f"--web.listen-address=127.0.0.1:{port}",
        ]  # fmt: skip
    loki = os.environ.get("LOKI")
    if not loki:
        pytest.skip("LOKI= names no Loki to compare with")
    (folder / "loki.yaml").write_text(LOKI_CONFIG.format(port=port, folder=folder))
    return [loki, f"-config.file={folder}/loki.yaml"]


@pytest.fixture(scope="module", params=["store", "loki"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    folder, port = tmp_path_factory.mktemp("server"), free_port()
    with started(command(request.param, folder, port), folder, port) as server:
        yield server


@contextmanager
def started(words: list[str], folder: Path, port: int) -> Iterator[Server]:
    """Run the command *words*, whose log goes into *folder*, until it is left."""
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log)
    server = Server(port)
    try:
        deadline = time.monotonic() + 120
        while not answers(server):
            assert process.poll() is None, (folder / "log").read_text()[-2000:]
            assert time.monotonic() < deadline, "it does not become ready"
            time.sleep(0.1)
        yield server
    finally:
        process.terminate()
        process.wait(30)


def answers(server: Server) -> bool:
    try:
        return server.ask("/ready")[0] == 200
    except OSError:
        return False


@pytest.fixture
def name() -> str:
    """A label value of this test alone."""
    return uuid.uuid4().hex


def lines(server: Server, query: str, **more: Any) -> list[tuple[int, str]]:
    now = time.time_ns()
    parameters = {"start": now - 3600 * SECOND, "end": now + 60 * SECOND, **more}
    status, answer = server.get("query_range", query=query, **parameters)
    assert status == 200, answer
    assert answer["data"]["resultType"] == "streams"
    rows = [row for stream in answer["data"]["result"] for row in stream["values"]]
    return [(int(row[0]), row[1]) for row in rows]


def test_both_formats_are_stored_once_and_come_back(server: Server, name: str) -> None:
    now = time.time_ns()
    entries = [Entry(now + number, b"line %d" % number) for number in range(20)]
    labels = f'{{container_name="{name}", stream="stdout"}}'
    for _ in range(2):
        assert server.push(labels, *entries) == (204, "")
        status, text = server.push_json(
            {"container_name": name, "stream": "stdout"}, [str(now + 20), "line 20"]
        )
        assert (status, text) == (204, "")
    expected = [(now + number, f"line {number}") for number in range(21)]
    query = f'{{container_name="{name}"}}'
    assert lines(server, query, direction="forward") == expected
    assert lines(server, query) == expected[::-1]
    assert lines(server, query, limit=3) == expected[:-4:-1]
    assert lines(server, query + ' |= "line 1" != "9"') == [
        row for row in expected[::-1] if "line 1" in row[1] and "9" not in row[1]
    ]
    assert lines(server, query + " |~ `[05]$`") == [
        row for row in expected[::-1] if row[1][-1] in "05"
    ]


def test_labels_values_and_series(server: Server, name: str) -> None:
    now = time.time_ns()
    labels = f'{{container_name="{name}", {"x" + name[:6]}="1"}}'
    assert server.push(labels, Entry(now, b"a"))[0] == 204
    span = {"start": now - 3600 * SECOND, "end": now + 60 * SECOND}
    assert "x" + name[:6] in server.get("labels", **span)[1]["data"]
    values = server.get("label/container_name/values", **span)[1]["data"]
    assert name in values
    selector = f'{{container_name="{name}"}}'
    assert server.get("series", match=selector, **span)[1]["data"] == [
        {"container_name": name, "x" + name[:6]: "1", "service_name": name}
    ]


def test_counts_and_rates(server: Server, name: str) -> None:
    now = time.time_ns() - 30 * SECOND
    entries = [Entry(now + number * SECOND, b"a" * number) for number in range(1, 11)]
    assert server.push(f'{{container_name="{name}"}}', *entries)[0] == 204
    selector = f'{{container_name="{name}"}}'
    for query, value in (
        (f"count_over_time({selector}[1m])", 10),
        (f"rate({selector}[1m])", 10 / 60),
        (f"bytes_over_time({selector}[1m])", 55),
        (f'sum by (container_name) (count_over_time({selector} |= "aaaaaa"[1m]))', 5),
    ):
        status, answer = server.get("query", query=query, time=now + 20 * SECOND)
        assert status == 200, answer
        assert answer["data"]["resultType"] == "vector"
        (sample,) = answer["data"]["result"]
        assert float(sample["value"][1]) == pytest.approx(value), query


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("{", "parse error at line 1, col "),
        ("{}", "queries require at least one regexp or equality matcher"),
        ('{a=~".*"}', "queries require at least one regexp or equality matcher"),
        ('{a="b"} |= ', "parse error at line 1, col "),
        ('{a=~"("}', "error parsing regexp: missing closing ): `("),
    ],
)
def test_bad_queries(server: Server, query: str, text: str) -> None:
    status, answer = server.get("query_range", query=query)
    assert (status, text in answer) == (400, True), answer


def test_refusals_name_the_reason_and_keep_the_rest(server: Server, name: str) -> None:
    now = time.time_ns()
    labels = f'{{container_name="{name}"}}'
    for bad, text in (
        (Entry(now - 8 * 86400 * SECOND, b"old"), "has timestamp too old: "),
        (Entry(now + 3600 * SECOND, b"new"), "has timestamp too new: "),
        (Entry(now, b"x" * 300_000), "ax entry size '262144' bytes exceeded "),
    ):
        good = Entry(now, f"beside: {text}".encode())
        status, answer = server.push(labels, bad, good)
        assert (status, text in answer) == (400, True), answer
        assert (now, good.line.decode()) in lines(server, labels)
    assert len(lines(server, labels)) == 3


@pytest.mark.parametrize(
    ("labels", "pattern"),
    [
        ('{a.b="c"}', r"parse error.*unexpected character inside braces: '\.'"),
        ("{", "parse error"),
        (
            "{" + ", ".join(f'l{number}="x"' for number in range(16)) + "}",
            "has 16 label names; limit 15",
        ),
        ('{a="%s"}' % ("v" * 2049), "has label value too long: "),
    ],
)
def test_bad_labels(server: Server, labels: str, pattern: str) -> None:
    status, answer = server.push(labels, Entry(time.time_ns(), b"x"))
    assert status == 400
    assert re.search(pattern, answer), answer


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"{", JSON),
        (b'{"streams":[{"stream":{"a":"b"},"values":[[1,"x"]]}]}', JSON),
        (b"not snappy at all", PROTOBUF),
        (b"{}", {**JSON, "Content-Encoding": "zstd"}),
    ],
)
def test_bodies_that_cannot_be_read(
    server: Server, body: bytes, headers: dict[str, str]
) -> None:
    assert server.ask(PUSH, body, headers)[0] == 400
