from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator

import pytest

from exporters.nginx.access_log.sources.datagrams import Datagrams
from exporters.nginx.access_log.sources.sockets import drops
from tests.nginx.access_log.sending import Lines, send_udp


@pytest.fixture
def sock() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.setblocking(False)
        yield sock


async def test_reads_what_comes(sock: socket.socket) -> None:
    lines = Lines()
    datagrams = Datagrams(sock, lines)
    datagrams.start()
    large = b"x" * 60_000  # access_log sends a line whole (ngx_http_log_handler)
    send_udp(sock.getsockname(), b"1", b"", large)
    assert await lines.until(3) == [b"1", b"", large]
    send_udp(sock.getsockname(), b"2", b"3")
    datagrams.stop()
    assert lines.lines[3:] == [b"2", b"3"]
    send_udp(sock.getsockname(), b"4")
    await asyncio.sleep(0)
    assert len(lines.lines) == 5


async def test_a_turn_ends(sock: socket.socket) -> None:
    taken: list[bytes] = []

    def take(data: bytes) -> None:
        taken.append(data)
        end = time.monotonic() + 0.001
        while time.monotonic() < end:
            pass

    datagrams = Datagrams(sock, take)
    send_udp(sock.getsockname(), *(b"x" for _ in range(150)))
    datagrams.start()
    turns = 0
    while len(taken) < 150:
        await asyncio.sleep(0)
        turns += 1
    # One more would do for the reader; so many were somebody else's turns.
    assert turns >= 4
    datagrams.stop()


async def test_what_is_lost_is_counted(sock: socket.socket) -> None:
    if drops(sock) is None:
        pytest.skip("this kernel has no SO_MEMINFO")
    taken: list[bytes] = []
    datagrams = Datagrams(sock, taken.append)
    send_udp(sock.getsockname(), *(b"x" for _ in range(3000)))
    assert datagrams.lost() > 0  # nobody had to read anything for that
    datagrams.start()
    datagrams.stop()
    assert len(taken) + datagrams.lost() == 3000
    again = datagrams.lost()
    send_udp(sock.getsockname(), b"x")
    assert datagrams.lost() == again


async def test_a_second_look_counts_on_from_the_first(sock: socket.socket) -> None:
    if drops(sock) is None:
        pytest.skip("this kernel has no SO_MEMINFO")
    datagrams = Datagrams(sock, lambda _: None)
    send_udp(sock.getsockname(), *(b"x" for _ in range(2000)))
    first = datagrams.lost()
    send_udp(sock.getsockname(), *(b"x" for _ in range(100)))
    assert datagrams.lost() == first + 100
    # Whoever opens the socket anew does not count what was lost before.
    assert Datagrams(sock, lambda _: None).lost() == 0
