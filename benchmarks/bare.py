"""How fast many nginx can be asked at all: the physical limit of their exporter."""

from __future__ import annotations

import socket
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from benchmarks.process import BenchmarkError
from benchmarks.scrape import TIMEOUT_SECONDS


REQUEST = b"GET /stub_status HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
LONGER_THAN_A_PAGE = 4096


@contextmanager
def connected(ports: Sequence[int]) -> Iterator[list[socket.socket]]:
    """Connect to each of *ports* on loopback."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(
                socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS)
            )
            for port in ports
        ]


def ask_all(connections: Sequence[socket.socket]) -> float:
    """Ask all at once and take what they answer unread; return the seconds it took."""
    begin = time.perf_counter()
    for connection in connections:
        connection.sendall(REQUEST)
    for connection in connections:
        if not connection.recv(LONGER_THAN_A_PAGE):
            raise BenchmarkError("a bare reading: nginx closed the connection")
    return time.perf_counter() - begin


def rounds(ports: Sequence[int], sizes: Sequence[int]) -> list[float]:
    """Return the median seconds of each round; *sizes* are how often each asks all."""
    with connected(ports) as connections:
        ask_all(connections)  # the first one is served slower
        return [
            statistics.median(ask_all(connections) for _ in range(size))
            for size in sizes
        ]
