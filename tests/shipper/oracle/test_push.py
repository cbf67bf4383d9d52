"""The real promtail as a client of ours, and both as servers of the same pushes."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from shipper.loki.encode import encode_push
from shipper.pipeline.entry import Entry, Labels
from shipper.relabel import RelabelConfig
from tests.shipper.oracle.conftest import promtail, promtail_path, recorder
from tests.shipper.push.conftest import receiving


pytestmark = [
    pytest.mark.oracle,
    pytest.mark.skipif(
        promtail_path() is None, reason="PROMTAIL names no promtail to compare with"
    ),
]

WHEN = 1700000000_000000001
KEYS: dict[str, Any] = {"labels": {"server": "one"}, "use_incoming_timestamp": True}


async def test_promtail_pushes_to_ours(tmp_path: Path) -> None:
    lines = [b"line %d" % number for number in range(1000)]
    (tmp_path / "a.log").write_bytes(b"\n".join(lines) + b"\n")
    async with receiving(**KEYS) as rig:
        config = f"""
server: {{disable: true}}
clients: [{{url: "http://{rig.source.address}/loki/api/v1/push", batchwait: 50ms}}]
positions: {{filename: {tmp_path}/positions.yaml}}
scrape_configs:
  - job_name: files
    static_configs: [{{labels: {{job: files, __path__: {tmp_path}/a.log}}}}]
"""
        async with promtail(config, tmp_path), asyncio.timeout(60):
            while len(rig.sink.entries) < len(lines):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    assert rig.sink.lines == lines
    assert {labels for labels, _ in rig.sink.entries} == {
        (("filename", f"{tmp_path}/a.log"), ("job", "files"), ("server", "one"))
    }


def _json(labels: dict[str, str], *values: list[object]) -> bytes:
    streams = [{"stream": labels, "values": list(values)}]
    return json.dumps({"streams": streams}).encode()


V1, RAW = "/loki/api/v1/push", "/promtail/api/v1/raw"
JSON, PROTOBUF = "application/json", "application/x-protobuf"
REQUESTS = {
    "json": (V1, JSON, _json({"a": "b", "__gone": "x"}, [str(WHEN), "one"])),
    "metadata": (V1, JSON, _json({"a": "b"}, [str(WHEN), "two", {"trace": "1"}])),
    "protobuf": (V1, PROTOBUF, encode_push('{a="b"}', [Entry(WHEN, b"\xff three")])),
    "kept": (V1, JSON, _json({"env": "prod"}, [str(WHEN), "four"])),
    "server wins": (V1, JSON, _json({"server": "two"}, [str(WHEN), "five"])),
    "dropped": (V1, JSON, _json({"env": "dev"}, [str(WHEN), "six"])),
    "none": (V1, JSON, b'{"streams": []}'),
    "bad label": (V1, JSON, _json({"a.b": "c"}, [str(WHEN), "x"])),
    "bad json": (V1, JSON, b"{"),
    "bad time": (V1, JSON, _json({"a": "b"}, ["soon", "x"])),
    "bad snappy": (V1, PROTOBUF, b"\xff"),
    "bad type": (V1, "application/", b"x"),
    "raw": (RAW, "text/plain", b'one\r\n\n two \n{"a": 1}'),
    "nowhere": ("/loki/api/v1/query", JSON, b""),
}  # fmt: skip
SAME_TEXT = {"bad label", "bad snappy", "bad type"}
RULE = RelabelConfig(source_labels=("env",), regex="dev", action="drop")


async def _answers(url: str) -> dict[str, tuple[int, str]]:
    found = {}
    async with aiohttp.ClientSession() as session:
        for name, (path, kind, body) in REQUESTS.items():
            headers = {"Content-Type": kind}
            async with session.post(url + path, data=body, headers=headers) as answer:
                text = await answer.text() if name in SAME_TEXT else ""
                found[name] = (answer.status, text)
        async with session.get(f"{url}/ready") as answer:
            found["ready"] = (answer.status, await answer.text())
    return found


def _seen(labels: Labels, entry: Entry) -> tuple[Labels, bytes, int | str, Labels]:
    is_now = abs(entry.timestamp_ns - time.time_ns()) < 60e9
    when = "now" if is_now else entry.timestamp_ns
    return labels, entry.line, when, entry.metadata


async def test_same_requests_same_answers_same_entries(tmp_path: Path) -> None:
    async with receiving(RULE, **KEYS) as rig:
        ours = await _answers(f"http://{rig.source.address}")
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    async with recorder() as loki:
        config = f"""
server: {{disable: true}}
clients: [{{url: "{loki.url}", batchwait: 50ms}}]
positions: {{filename: {tmp_path}/positions.yaml}}
scrape_configs:
  - job_name: job
    loki_push_api:
      server: {{http_listen_address: 127.0.0.1, http_listen_port: {port},
                grpc_listen_address: 127.0.0.1, grpc_listen_port: 0}}
      labels: {{server: one}}
      use_incoming_timestamp: true
    relabel_configs: [{{source_labels: [env], regex: dev, action: drop}}]
"""
        async with promtail(config, tmp_path), asyncio.timeout(60):
            url = f"http://127.0.0.1:{port}"
            async with aiohttp.ClientSession() as session:
                while True:
                    try:
                        await session.get(f"{url}/ready")
                        break
                    except aiohttp.ClientConnectionError:
                        await asyncio.sleep(0.05)
            theirs = await _answers(url)
            await loki.wait(len(rig.sink.entries), seconds=10, rest=0.3)
    assert theirs == ours
    found = [
        _seen(item.labels, Entry(item.timestamp_ns, item.line, item.metadata))
        for item in loki.entries
    ]
    assert sorted(found, key=repr) == sorted(
        (_seen(*item) for item in rig.sink.entries), key=repr
    )
