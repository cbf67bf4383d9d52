from __future__ import annotations

import asyncio
import json

import pytest

from shipper.docker import stream
from shipper.docker.engine import Engine
from shipper.docker.frames import STDERR, STDOUT
from shipper.docker.host import DockerHost
from shipper.docker.stream import DockerError, DockerRefusedError

from .conftest import ID, FakeDocker, Writer, listed, log_frame, reply, whole


async def test_everything_over_tcp(fake: FakeDocker) -> None:
    server = await asyncio.start_server(fake._serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    fake.containers = [listed()]
    fake.running = {ID}
    fake.logs = [whole(log_frame(1, 0, b"a"))]
    fake.event("start")
    engine = Engine(DockerHost(f"tcp://127.0.0.1:{port}"))
    assert await engine.version() == "v1.41"
    assert [item["Id"] for item in await engine.containers({})] == [ID]
    assert await engine.networks() == []
    assert await engine.running(ID)
    assert not await engine.running("b" * 64)
    async with engine.events(5) as events:
        assert (await anext(events)).action == "start"
    async with await engine.logs(ID, 1_500_000_007, [STDERR]) as response:
        assert await response.read() == log_frame(1, 0, b"a")
    server.close()
    [query] = fake.log_requests()
    assert query["since"] == "1.500000007"
    assert (query["stdout"], query["stderr"]) == ("0", "1")


async def test_the_version_is_negotiated_anew(engine: Engine, fake: FakeDocker) -> None:
    assert await engine.version() == "v1.41"
    fake.broken = {"version": reply({"ApiVersion": "1.52"})}
    assert await engine.version() == "v1.41"
    engine.forget_version()
    assert await engine.version() == "v1.52"


async def test_a_removed_container_does_not_run(
    engine: Engine, fake: FakeDocker
) -> None:
    await engine.version()
    gone = reply({"message": "No such container"}, "404 Not Found")
    fake.broken = {"json": gone}
    assert not await engine.running(ID)
    fake.broken = {"json": reply({"message": "oops"}, "500 Oops")}
    with pytest.raises(DockerRefusedError, match=r"json: HTTP 500: oops$"):
        await engine.running(ID)


async def test_events_never_just_end(engine: Engine, fake: FakeDocker) -> None:
    fake.event("create")
    fake.events.put_nowait(None)
    async with engine.events(0) as events:
        assert (await anext(events)).id == ID
        with pytest.raises(DockerError, match="the daemon ended the subscription"):
            await anext(events)


async def test_both_streams_by_default(engine: Engine, fake: FakeDocker) -> None:
    fake.logs = [whole()]
    async with await engine.logs(ID, 0, (STDOUT, STDERR)) as response:
        assert await response.read() == b""
        assert response.complete


def raw(head: str, body: bytes) -> bytes:
    return f"HTTP/1.1 200 OK\r\n{head}\r\n".encode() + body


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (reply({}), r"json: expected a list, got \{\}$"),
        (reply([{"Id": None}]), r"json: expected Id and State, got "),
        (raw("Content-Length: 9\r\n", b"[["), r"closed in the middle of the answer$"),
        (raw("Transfer-Encoding: chunked\r\n", b"2\r\n[["), r"closed in the middle"),
        (reply("").replace(b'""', b"[["), r"json: Expecting value: line 1"),
        (raw("Content-Length: 99999\r\n", b"[" * 99999), r"recursion"),
        (b"", r"json: connection closed before an answer$"),
        (b"rubbish\r\n\r\n", r"json: not HTTP: "),
    ],
)
async def test_a_list_that_is_none(
    engine: Engine, fake: FakeDocker, answer: bytes, says: str
) -> None:
    fake.broken = {"json": answer}
    with pytest.raises(DockerError, match=says) as caught:
        await engine.containers({})
    assert "\n" not in str(caught.value)


async def test_a_list_without_a_length(engine: Engine, fake: FakeDocker) -> None:
    """A proxy may speak HTTP/1.0: the end of the connection is the end of the list."""
    body = json.dumps([listed()]).encode()
    fake.broken = {"json": b"HTTP/1.0 200 OK\r\n\r\n" + body}
    assert await engine.containers({}) == [listed()]


async def test_a_list_that_does_not_end_in_time(
    engine: Engine, fake: FakeDocker
) -> None:
    await engine.version()
    server_went_on = asyncio.Event()

    async def half(target: str, writer: Writer) -> None:
        writer.write(raw("Content-Length: 9\r\n", b"["))
        await writer.drain()
        await server_went_on.wait()

    fake._answer = half  # type: ignore[method-assign]
    with pytest.raises(DockerError, match=r"json: no answer within 0\.3 s$"):
        await engine.containers({})
    server_went_on.set()


async def test_a_list_without_a_bound(
    engine: Engine, fake: FakeDocker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "MAX_ANSWER_BYTES", 1000)
    fake.containers = [listed()] * 10
    with pytest.raises(DockerError, match=r"json: an answer of over \d+ bytes$"):
        await engine.containers({})
