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
import yaml

from exporters.toolkit.datasize import parse_byte_size
from shipper.logql.duration import parse_prometheus_duration
from shipper.loki.encode import encode_push
from shipper.pipeline.entry import Entry
from shipper.store.service_name import DISCOVER_SERVICE_NAME
from tests.store.test_levels import LEVELS


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
    streams = answered(server, query, **more)
    rows = [row for stream in streams for row in stream["values"]]
    return [(int(row[0]), row[1]) for row in rows]


def answered(server: Server, query: str, **more: Any) -> list[dict[str, Any]]:
    """Return the streams that *server* answers *query* with."""
    now = time.time_ns()
    parameters = {"start": now - 3600 * SECOND, "end": now + 60 * SECOND, **more}
    status, answer = server.get("query_range", query=query, **parameters)
    assert status == 200, answer
    assert answer["data"]["resultType"] == "streams"
    streams: list[dict[str, Any]] = answer["data"]["result"]
    return streams


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


def test_detected_levels(server: Server, name: str) -> None:
    now = time.time_ns()
    rows = [Entry(now + n, line.encode()) for n, line in enumerate(LEVELS)]
    labels = f'{{container_name="{name}"}}'
    assert server.push(labels, *rows) == (204, "")
    found = {
        row[1]: stream["stream"].get("detected_level")
        for stream in answered(server, labels)
        for row in stream["values"]
    }
    assert found == LEVELS


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


LIMITS = {
    "reject_old_samples": True,
    "reject_old_samples_max_age": 7 * 86400 * SECOND,
    "creation_grace_period": 600 * SECOND,
    "max_line_size": 256 * 1024,
    "max_line_size_truncate": False,
    "discover_log_levels": True,
    "max_label_names_per_series": 15,
    "max_label_name_length": 1024,
    "max_label_value_length": 2048,
    "allow_structured_metadata": True,
    "max_structured_metadata_size": 64 * 1024,
    "max_structured_metadata_entries_count": 128,
    "ingestion_rate_mb": 4,
    "ingestion_burst_size_mb": 6,
    "per_stream_rate_limit": 3 << 20,
    "per_stream_rate_limit_burst": 15 << 20,
    "max_global_streams_per_user": 5000,
    "max_entries_limit_per_query": 5000,
    "max_query_series": 500,
    "max_query_length": 721 * 3600 * SECOND,
    "max_concurrent_tail_requests": 10,
    "query_timeout": 60 * SECOND,
}


def amount(value: object) -> object:
    """Return the number that a size or a duration means: ``1w`` and ``7d`` are one."""
    for parse in (parse_prometheus_duration, parse_byte_size):  # 10m is no size
        try:
            return parse(str(value))
        except ValueError:
            continue
    return value


def test_the_configuration_shows_the_limits(server: Server) -> None:
    status, text = server.ask("/config")
    assert status == 200
    page = yaml.safe_load(text)
    shown = page["limits_config"]
    assert {key: amount(shown[key]) for key in LIMITS} == LIMITS
    assert shown["discover_service_name"] == list(DISCOVER_SERVICE_NAME)
    assert page["runtime_config"]["file"] == ""
    assert page["target"] == "all"
    assert "auth_enabled" not in page
