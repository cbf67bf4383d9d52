"""Answers are put together from any pieces, and another answer is refused."""

from __future__ import annotations

import gzip
import itertools
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, strategies

from benchmarks.process import BenchmarkError
from benchmarks.scrape import Answer, Connection, Response, count_samples


TEXT = b'# HELP a A.\n# TYPE a gauge\na 1\na_total{b="#"} 2\n'
LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(TEXT), TEXT)
# As promhttp answers what is larger than its buffer.
CHUNKED = (
    b"HTTP/1.1 200 OK\r\ncontent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
)


@given(
    strategies.sampled_from(
        [
            (LENGTH, Answer(200, TEXT, "")),
            (CHUNKED, Answer(200, b"abcde", "gzip")),
            (b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", Answer(503, b"", "")),
        ]
    ),
    strategies.lists(strategies.integers(0, len(LENGTH)), max_size=6),
)
def test_any_split_gives_the_same_answer(
    case: tuple[bytes, Answer], cuts: list[int]
) -> None:
    data, expected = case
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    parts = [data[a:b] for a, b in itertools.pairwise(edges)]
    response = Response()
    for part in parts[:-1]:
        assert response.feed(part) is None
    assert response.feed(parts[-1]) == expected


def test_not_http() -> None:
    with pytest.raises(BenchmarkError, match=r"expected HTTP, got b'SSH-2\.0"):
        Response().feed(b"SSH-2.0-OpenSSH\r\n")


def test_samples_are_counted_plain_and_compressed() -> None:
    assert count_samples(Answer(200, TEXT, "")) == 2
    assert count_samples(Answer(200, gzip.compress(TEXT), "gzip")) == 2


@contextmanager
def answering(*answers: bytes) -> Iterator[int]:
    """Serve one connection that gives *answers* in turn and is closed then."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with server.accept()[0] as connection:
                for answer in answers:
                    connection.recv(4096)
                    connection.sendall(answer)
                connection.shutdown(socket.SHUT_WR)
                connection.recv(4096)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


def test_one_connection_for_all_scrapes() -> None:
    with answering(LENGTH, LENGTH) as port, Connection(port) as connection:
        for _ in range(2):
            answer, latency = connection.scrape("identity")
            assert answer.body == TEXT
            assert 0 < latency < 30


@pytest.mark.parametrize(
    ("answers", "encoding", "says"),
    [
        ((LENGTH,), "gzip", "expected 200 and gzip, got 200 and identity"),
        ((CHUNKED,), "identity", "expected 200 and identity, got 200 and gzip"),
        (
            (LENGTH.replace(b"200", b"500"),),
            "identity",
            "got 500 and identity: b'# HELP",
        ),
        ((LENGTH[:-1],), "identity", "closed before its answer was whole"),
    ],
)
def test_another_answer_is_refused(
    answers: tuple[bytes, ...], encoding: str, says: str
) -> None:
    with (
        answering(*answers) as port,
        Connection(port) as connection,
        pytest.raises(BenchmarkError, match=says),
    ):
        connection.scrape(encoding)
