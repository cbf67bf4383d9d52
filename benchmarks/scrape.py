"""A scraper that costs little itself: one socket, kept open, one request at a time."""

from __future__ import annotations

import gzip
import socket
import time
from contextlib import ExitStack
from types import TracebackType
from typing import NamedTuple, Self

from httptools import HttpParserError, HttpResponseParser

from benchmarks.process import BenchmarkError, Running


TIMEOUT_SECONDS = 30.0
# How often a program that is starting is asked again.
RETRY_SECONDS = 0.001


class Answer(NamedTuple):
    """A whole answer; *body* is as it came, compressed or not."""

    status: int
    body: bytes
    encoding: str


class Response:
    """Put an answer together from what a socket gives (sans-IO, RFC 9112)."""

    def __init__(self) -> None:
        self._parser = HttpResponseParser(self)
        self._parts: list[bytes] = []
        self._encoding = ""
        self._complete = False

    def feed(self, data: bytes) -> Answer | None:
        """Take *data*; return the answer when it is whole.

        Raises BenchmarkError when this is not HTTP.
        """
        try:
            self._parser.feed_data(data)
        except HttpParserError as error:
            raise BenchmarkError(f"expected HTTP, got {data[:80]!r}: {error}") from None
        if not self._complete:
            return None
        status = self._parser.get_status_code()
        return Answer(status, b"".join(self._parts), self._encoding)

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"content-encoding":
            self._encoding = value.decode("latin-1")

    def on_body(self, data: bytes) -> None:
        self._parts.append(data)

    def on_message_complete(self) -> None:
        self._complete = True


class Connection:
    """One connection, as Prometheus keeps it from scrape to scrape."""

    def __init__(self, port: int, path: str = "/metrics") -> None:
        """Connect to *port* on loopback; raises OSError."""
        self._path = path
        self._socket = socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()

    def scrape(self, encoding: str) -> tuple[Answer, float]:
        """Return the answer to one GET and its latency in seconds.

        From the first byte sent to the last one received. Raises BenchmarkError for
        another answer than 200 in *encoding* (``gzip``, or ``identity`` for none).
        """
        request = (
            f"GET {self._path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Accept-Encoding: {encoding}\r\n\r\n"
        ).encode()
        response = Response()
        answer = None
        begin = time.perf_counter()
        self._socket.sendall(request)
        while answer is None:
            data = self._socket.recv(1 << 18)
            if not data:
                raise BenchmarkError(
                    f"{self._path}: closed before its answer was whole"
                )
            answer = response.feed(data)
        latency = time.perf_counter() - begin
        if answer.status != 200 or (answer.encoding or "identity") != encoding:
            raise BenchmarkError(
                f"{self._path}: expected 200 and {encoding}, got {answer.status} and "
                f"{answer.encoding or 'identity'}: {answer.body[:80]!r}"
            )
        return answer, latency


def count_samples(answer: Answer) -> int:
    """Return how many samples are in an answer of the text format."""
    plain = gzip.decompress(answer.body) if answer.encoding else answer.body
    return sum(1 for line in plain.splitlines() if line and not line.startswith(b"#"))


def first_answer(running: Running, port: int, path: str = "/metrics") -> Answer:
    """Ask a starting program until it answers 200; it is asked every millisecond.

    Raises BenchmarkError when it ends instead or has not answered within 30 s.
    """
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while True:
        try:
            with Connection(port, path) as connection:
                return connection.scrape("identity")[0]
        except OSError as error:
            running.check()
            if time.monotonic() > deadline:
                raise BenchmarkError(
                    f"127.0.0.1:{port}{path}: expected an answer within "
                    f"{TIMEOUT_SECONDS:g} s: {error}"
                ) from error
        time.sleep(RETRY_SECONDS)


def free_port() -> int:
    """Return a port of loopback that nobody listens on now."""
    return free_ports(1)[0]


def free_ports(number: int) -> list[int]:
    """Return *number* ports of loopback that nobody listens on now."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(number)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
