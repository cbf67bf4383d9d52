from __future__ import annotations

import asyncio

import pytest

from shipper.docker.engine import Engine
from shipper.docker.frames import STDERR, STDOUT
from shipper.docker.host import DockerHost
from shipper.docker.stream import DockerError, DockerRefusedError

from .conftest import ID, FakeDocker, listed, log_frame, reply, whole


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
