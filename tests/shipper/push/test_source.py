from __future__ import annotations

import asyncio
import gzip
import json
import logging
import socket
import ssl
import time
import zlib
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from shipper.config.push import PushConfig, PushServerConfig, ServerTls
from shipper.loki.encode import encode_push
from shipper.pipeline.entry import Entry
from shipper.push.receiver import Limits
from shipper.push.source import PushSource
from shipper.relabel import RelabelConfig
from tests.shipper.certificates import Authority
from tests.shipper.push.conftest import Counts, receiving
from tests.shipper.sink import Sink


WHEN = 1700000000_000000001


def push(*streams: tuple[dict[str, str], list[list[Any]]]) -> bytes:
    return json.dumps(
        {
            "streams": [
                {"stream": labels, "values": values} for labels, values in streams
            ]
        }
    ).encode()


TOO_LONG = gzip.compress(b"x" * 2000, mtime=0)
ONE = push(({"a": "b"}, [[str(WHEN), "line"]]))
TWO = push(({"a": "b"}, [[str(WHEN), "1"]]), ({"c": "d"}, [[str(WHEN), "2"]]))


async def test_labels_time_and_metadata() -> None:
    async with receiving(
        labels={"a": "config", "x": "y", "__z": "z"}, use_incoming_timestamp=True
    ) as rig:
        body = push(({"a": "b", "q": "r"}, [[str(WHEN), "line", {"trace": "1"}]]))
        assert await rig.push(body) == (204, "")
        [(labels, entry)] = rig.sink.entries
        assert labels == (("a", "config"), ("q", "r"), ("x", "y"))
        assert entry == Entry(WHEN, b"line", (("trace", "1"),))
        assert rig.counts == {"204": 1, "entries": 1, "filtered": 0}


async def test_without_use_incoming_timestamp_it_is_now() -> None:
    before = time.time_ns()
    async with receiving() as rig:
        assert await rig.push(ONE) == (204, "")
        assert before <= rig.sink.entries[0][1].timestamp_ns <= time.time_ns()


PROTOBUF = encode_push('{a="b"}', [Entry(WHEN, b"\xff")])
LEGACY = (
    b'{"streams":[{"labels":"{a=\\"b\\"}","entries":'
    b'[{"ts":"2023-11-14T22:13:20.000000001Z","line":"line"}]}]}'
)
V1, V0 = "/loki/api/v1/push", "/api/prom/push"


@pytest.mark.parametrize(
    ("path", "body", "headers", "line"),
    [
        (V1, ONE, {"kind": "application/json; charset=utf-8"}, b"line"),
        (V1, gzip.compress(ONE, mtime=0), {"Content_Encoding": "gzip"}, b"line"),
        (V1, zlib.compress(ONE), {"Content_Encoding": "deflate"}, b"line"),
        (V1, PROTOBUF, {"kind": "application/x-protobuf"}, b"\xff"),
        (V1, PROTOBUF, {"kind": "x/y", "Content_Encoding": "snappy"}, b"\xff"),
        (V1, PROTOBUF, {"kind": ""}, b"\xff"),
        (V0, PROTOBUF, {"kind": "application/x-protobuf"}, b"\xff"),
        (V0, LEGACY, {}, b"line"),
    ],
)  # fmt: skip
async def test_formats(
    path: str, body: bytes, headers: dict[str, str], line: bytes
) -> None:
    async with receiving(use_incoming_timestamp=True) as rig:
        assert await rig.post(path, body, **headers) == (204, "")
        assert rig.sink.entries == [((("a", "b"),), Entry(WHEN, line))]


async def test_plain_lines() -> None:
    async with receiving(labels={"job": "raw"}) as rig:
        body = b"one\r\n\n  two \nlast \xff"
        assert await rig.post("/promtail/api/v1/raw", body, "text/plain") == (204, "")
        assert rig.sink.lines == [b"one", b"  two ", b"last \xff"]
        assert rig.sink.streams == [{"job": "raw"}] * 3


async def test_a_dropped_stream_takes_no_other_with_it() -> None:
    drop = RelabelConfig(source_labels=("a",), regex="b", action="drop")
    async with receiving(drop) as rig:
        assert await rig.push(TWO) == (204, "")
        assert rig.sink.lines == [b"2"]
        assert rig.counts == {"204": 1, "entries": 1, "filtered": 1}


async def test_a_stream_without_a_label_gets_the_job() -> None:
    async with receiving(RelabelConfig(regex="a", action="labeldrop")) as rig:
        assert await rig.push(ONE) == (204, "")
        assert rig.sink.streams == [{"job": "job"}]


async def test_nothing_to_do() -> None:
    async with receiving() as rig:
        assert await rig.push(b'{"streams": []}') == (204, "")
        assert await rig.post("/promtail/api/v1/raw", b"") == (204, "")


@pytest.mark.parametrize(
    ("body", "headers", "status", "text"),
    [
        (b"{", {}, 400, "loghttp.PushRequest: "),
        (push(({"a.b": "c"}, [])), {}, 400,
         "couldn't parse labels: 1:3: parse error: unexpected character inside braces"),
        (push(({"a": "b"}, [["x", "line"]])), {}, 400, "loghttp.PushRequest"),
        (b"\xff", {"kind": "application/x-protobuf"}, 400, "snappy: corrupt input"),
        (ONE, {"Content_Encoding": "lz4"}, 400, 'Content-Encoding "lz4" not supported'),
        (b"no gzip", {"Content_Encoding": "gzip"}, 400, "gzip: "),
        (b"x" * 2000, {}, 413, "request body too large"),
        (TOO_LONG, {"Content_Encoding": "gzip"}, 413, "request body"),
    ],
)  # fmt: skip
async def test_refusals(
    body: bytes, headers: dict[str, str], status: int, text: str
) -> None:
    async with receiving(limits=Limits(body_bytes=1000)) as rig:
        found = await rig.push(body, **headers)
        assert found[0] == status
        assert found[1].startswith(text)
        assert found[1].endswith("\n")
        assert rig.sink.entries == []
        assert rig.counts == {str(status): 1}


async def test_who_does_not_speak_http_is_no_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with receiving() as rig:
        status, _ = await rig.push(ONE, Content_Encoding="br")
        assert status == 400
        host, _, port = rig.source.address.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"\x16\x03\x01 TLS\r\n\r\n")
        assert b" 400 " in await reader.readline()
        writer.close()
        await writer.wait_closed()
    assert [r for r in caplog.records if r.levelno >= logging.ERROR] == []


async def test_one_bad_label_set_takes_nothing_in() -> None:
    body = push(({"a": "b"}, [[str(WHEN), "1"]]), ({"c-d": "e"}, [[str(WHEN), "2"]]))
    async with receiving() as rig:
        assert (await rig.push(body))[0] == 400
        assert rig.sink.entries == []


async def test_the_answer_waits_for_every_acknowledgement() -> None:
    async with receiving() as rig:
        rig.sink.holds = True
        request = asyncio.create_task(rig.push(TWO))
        await rig.sink.until(lambda: len(rig.sink.entries) == 2)
        entry, cursor = rig.sink.owed.pop(0)
        cursor.acknowledge((entry,))
        done, _ = await asyncio.wait([request], timeout=0.1)
        assert not done
        rig.sink.acknowledge()
        assert await request == (204, "")


async def test_a_push_that_loki_does_not_take_is_to_be_sent_again() -> None:
    async with receiving(limits=Limits(answer_seconds=0.05)) as rig:
        rig.sink.holds = True
        assert await rig.push(TWO) == (
            503, "Loki has not acknowledged 2 entries, send again\n",
        )  # fmt: skip
        assert rig.counts["unacknowledged"] == 2
        rig.sink.acknowledge()  # too late, and harmless
        rig.sink.holds = False
        assert await rig.push(TWO) == (204, "")
        assert rig.sink.lines == [b"1", b"2", b"1", b"2"]


async def test_retry_after() -> None:
    async with receiving(limits=Limits(answer_seconds=0.01)) as rig:
        rig.sink.holds = True
        url = f"http://{rig.source.address}/loki/api/v1/push"
        kind = {"Content-Type": "application/json"}
        async with rig.session.post(url, data=ONE, headers=kind) as response:
            assert response.status == 503
            assert response.headers["Retry-After"] == "1"


async def test_a_put_that_waits_is_not_cancelled_and_nothing_follows_it() -> None:
    async with receiving(limits=Limits(answer_seconds=0.05, requests=1)) as rig:
        rig.sink.gate.clear()
        assert (await rig.push(TWO))[0] == 503
        # It holds its place: what comes now is not taken on.
        assert await rig.push(ONE) == (503, "too many requests in flight (1)\n")
        rig.sink.gate.set()
        await rig.sink.until(lambda: bool(rig.sink.entries))
        while rig.source._receiver.in_flight:  # noqa: ASYNC110
            await asyncio.sleep(0)
        assert rig.sink.lines == [b"1"]
        assert await rig.push(ONE) == (204, "")


async def test_too_many_at_once() -> None:
    async with receiving(limits=Limits(requests=1)) as rig:
        rig.sink.holds = True
        first = asyncio.create_task(rig.push(ONE))
        await rig.sink.until(lambda: bool(rig.sink.entries))
        assert await rig.push(ONE) == (503, "too many requests in flight (1)\n")
        rig.sink.acknowledge()
        assert await first == (204, "")


async def test_a_body_that_does_not_arrive() -> None:
    async with receiving(limits=Limits(body_seconds=0.05)) as rig:
        host, _, port = rig.source.address.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            b"POST /promtail/api/v1/raw HTTP/1.1\r\nHost: x\r\n"
            b"Content-Length: 9\r\n\r\nx"
        )
        async with asyncio.timeout(5):
            assert b" 408 " in await reader.readline()
        writer.close()
        await writer.wait_closed()
        assert rig.counts == {"408": 1}


async def test_a_sink_that_fails_ends_one_request_only(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with receiving() as rig:
        rig.sink.broken = True
        with caplog.at_level(logging.ERROR):
            assert (await rig.push(ONE))[0] == 500
        rig.sink.broken = False
        assert await rig.push(ONE) == (204, "")


async def test_a_stop_answers_what_waits() -> None:
    async with receiving() as rig:
        rig.sink.holds = True
        request = asyncio.create_task(rig.push(ONE))
        await rig.sink.until(lambda: bool(rig.sink.entries))
        rig.source.stop_reading()
        async with asyncio.timeout(0.9):  # what the program gives its sources
            assert (await request)[0] == 503
            await rig.task


async def test_a_stop_ends_a_put_that_finds_no_room() -> None:
    async with receiving() as rig:
        rig.sink.gate.clear()
        request = asyncio.create_task(rig.push(ONE))
        while not rig.source._receiver.in_flight:  # noqa: ASYNC110
            await asyncio.sleep(0)
        rig.source.stop_reading()
        async with asyncio.timeout(0.9):
            assert (await request)[0] == 503
            await rig.task
        assert rig.sink.entries == []


async def test_other_paths_and_methods() -> None:
    server = PushServerConfig(http_listen_address="127.0.0.1", http_path_prefix="/in/")
    async with receiving(server=server) as rig:
        url = f"http://{rig.source.address}"
        async with rig.session.get(f"{url}/in/ready") as response:
            assert (response.status, await response.text()) == (200, "ready")
        async with rig.session.get(f"{url}/in/loki/api/v1/push") as response:
            assert response.status == 405
        async with rig.session.get(f"{url}/ready") as response:
            assert (response.status, await response.text()) == (
                404, "404 page not found\n",
            )  # fmt: skip
        assert await rig.post("/in/loki/api/v1/push", ONE) == (204, "")


async def test_tls(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pair, own = authority.issue("server"), authority.issue("client")
    tls = ServerTls(
        cert_file=str(pair.cert),
        key_file=str(pair.key),
        client_ca_file=str(authority.pair.cert),
        client_auth_type="RequireAndVerifyClientCert",
    )
    server = PushServerConfig(http_listen_address="127.0.0.1", http_tls_config=tls)
    context = ssl.create_default_context(cafile=str(authority.pair.cert))
    async with receiving(server=server) as rig:
        url = f"https://{rig.source.address}/ready"
        with pytest.raises(aiohttp.ClientError):
            await rig.session.get(url, ssl=context)
        context.load_cert_chain(own.cert, own.key)
        async with rig.session.get(url, ssl=context) as response:
            assert await response.text() == "ready"


async def test_a_port_that_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shipper.binding._FIRST_WAIT_SECONDS", 0.01)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = PushServerConfig(
            http_listen_address="127.0.0.1", http_listen_port=port
        )
        source = PushSource(
            "job", PushConfig(server=server), lambda labels: labels, Sink(), Counts()
        )
        task = asyncio.create_task(source.run())
        async with asyncio.timeout(5):
            while "in use" not in (source.not_ready() or ""):  # noqa: ASYNC110
                await asyncio.sleep(0)
        assert source.not_ready() == (
            f"job job: loki_push_api: listen tcp 127.0.0.1:{port}: bind: "
            "address already in use"
        )
    async with asyncio.timeout(5):
        await source.listening.wait()
    assert source.not_ready() is None
    [target] = source.targets()
    assert (target.kind, target.name) == ("loki_push_api", f"127.0.0.1:{port}")
    source.stop_reading()
    await task
