from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack

import pytest

from exporters.nginx.access_log.sources import streams
from exporters.nginx.access_log.sources.listen import Listen
from exporters.nginx.access_log.sources.streams import open_tcp
from exporters.toolkit.errors import StartError
from tests.nginx.access_log.sending import PATIENCE_SECONDS, Lines


LISTEN = Listen("tcp", "127.0.0.1")


async def _connect(
    sock: socket.socket,
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(*sock.getsockname())


async def test_messages_of_several_connections() -> None:
    lines = Lines()
    async with open_tcp(LISTEN, lines) as sock:
        _, one = await _connect(sock)
        _, two = await _connect(sock)
        one.write(b"<1>a\n<1>")
        two.write(b"4 <2>a4 <2>b")
        assert sorted(await lines.until(3)) == [b"<1>a", b"<2>a", b"<2>b"]
        one.write(b"b")
        one.close()  # the last one needs no newline
        assert (await lines.until(4))[-1] == b"<1>b"
        two.close()


async def test_the_end_closes_what_is_open() -> None:
    lines = Lines()
    async with open_tcp(LISTEN, lines) as sock:
        reader, writer = await _connect(sock)
        writer.write(b"<1>a\n")
        await lines.until(1)
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert await reader.read() == b""
    writer.close()


async def test_connections_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MAX_CONNECTIONS", 2)
    lines = Lines()
    async with AsyncExitStack() as stack:
        sock = await stack.enter_async_context(open_tcp(LISTEN, lines))
        kept = []
        for number in range(2):
            _, writer = await _connect(sock)
            writer.write(b"<1>a\n")
            await lines.until(number + 1)
            kept.append(writer)
        reader, writer = await _connect(sock)
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await reader.read() == b""
        for one in (writer, *kept):
            one.close()


async def test_a_flood_of_one_connection_leaves_turns() -> None:
    lines = Lines()
    async with open_tcp(LISTEN, lines) as sock:
        _, writer = await _connect(sock)
        writer.write((b"<1>" + b"x" * 96 + b"\n") * 20_000)
        most = 0
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(lines.lines) < 20_000:
                before = len(lines.lines)
                await asyncio.sleep(0)
                most = max(most, len(lines.lines) - before)
        writer.close()
    assert 0 < most < 3000


async def test_an_address_in_use() -> None:
    async with open_tcp(LISTEN, Lines()) as sock:
        port = sock.getsockname()[1]
        with pytest.raises(StartError) as caught:
            async with open_tcp(Listen("tcp", "127.0.0.1", port), Lines()):
                pass
    assert str(caught.value) == (
        f"listen tcp://127.0.0.1:{port}: bind: address already in use"
    )
