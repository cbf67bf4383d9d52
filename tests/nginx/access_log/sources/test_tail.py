from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from exporters.nginx.access_log.sources.tail import NotALogError, Tail


Open = Callable[..., Tail]

LIMIT = 65536


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "access.log"
    path.write_bytes(b"old 1\nold 2\n")
    return path


@pytest.fixture
def follow() -> Iterator[Open]:
    with ExitStack() as stack:

        def follow(path: Path, *, from_end: bool = True) -> Tail:
            return stack.enter_context(closing(Tail(str(path), from_end=from_end)))

        yield follow


def _append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def _lines(tail: Tail, limit: int = LIMIT) -> list[bytes]:
    lines = []
    while True:
        size, new = tail.read(limit)
        lines += new
        if not size:
            return lines


def test_from_the_end(log: Path, follow: Open) -> None:
    tail = follow(log)
    assert _lines(tail) == []
    _append(log, b"1\n2\n3")
    assert _lines(tail) == [b"1", b"2"]
    _append(log, b"4\n")
    assert _lines(tail) == [b"34"]


def test_from_the_beginning(log: Path, follow: Open) -> None:
    assert _lines(follow(log, from_end=False), 4) == [b"old 1", b"old 2"]


def test_a_line_that_is_being_written_is_read_whole(log: Path, follow: Open) -> None:
    _append(log, b"begin")
    tail = follow(log)
    _append(log, b" end\n")
    assert _lines(tail) == [b"begin end"]


def test_a_long_line_that_is_being_written_is_left(log: Path, follow: Open) -> None:
    _append(log, b"x" * 70_000)
    tail = follow(log)
    _append(log, b"end\n1\n")
    # Its rest is no line; which one it is a matter of what it looks like.
    assert _lines(tail) == [b"end", b"1"]


def test_how_much_waits(log: Path, follow: Open) -> None:
    tail = follow(log)
    _append(log, b"123456789\n")
    assert tail.read(4)[0] == 4
    assert tail.unread == 6
    _lines(tail)
    assert tail.unread == 0


@pytest.mark.parametrize("kept", [b"", b"new 1\n", b"old 1\n"])
def test_emptied(log: Path, follow: Open, kept: bytes) -> None:
    tail = follow(log)
    _append(log, b"unfinished")
    assert _lines(tail) == []
    log.write_bytes(kept)  # the same file
    expected = [kept.strip()] if kept else []
    assert _lines(tail) == expected
    _append(log, b"new 2\n")
    assert _lines(tail) == [b"new 2"]
    assert tail.truncated == 1


def test_emptied_and_as_long_again_between_two_looks(log: Path, follow: Open) -> None:
    tail = follow(log)
    _append(log, b"1\n")
    assert _lines(tail) == [b"1"]
    log.write_bytes(b"new 1\nnew 2\n2\n")
    assert len(b"old 1\nold 2\n1\n") == log.stat().st_size
    assert _lines(tail) == [b"new 1", b"new 2", b"2"]
    os.utime(log)
    assert _lines(tail) == []
    assert tail.truncated == 1


@pytest.mark.parametrize("more", [0, 1, 100, 10_000])
def test_emptied_and_longer_again_between_two_looks(
    log: Path, follow: Open, more: int
) -> None:
    tail = follow(log)
    _append(log, b"1\n")
    assert _lines(tail) == [b"1"]
    log.write_bytes(b"new line 1\n" + b"x\n" * (2 + more))
    assert _lines(tail, 1000) == [b"new line 1"] + [b"x"] * (2 + more)
    assert tail.truncated == 1


def test_copytruncate_under_a_writer_that_does_not_append(
    log: Path, follow: Open
) -> None:
    tail = follow(log)
    with log.open("r+b") as writer:
        writer.seek(0, os.SEEK_END)
        writer.write(b"1\n")
        writer.flush()
        assert _lines(tail) == [b"1"]
        shutil.copy(log, f"{log}.1")
        os.truncate(log, 0)
        writer.write(b"2\n")
    assert log.read_bytes() == b"\0" * 14 + b"2\n"
    assert _lines(tail) == [b"2"]


def test_read_on_without_a_name(log: Path, follow: Open) -> None:
    tail = follow(log)
    with log.open("ab") as writer:
        log.unlink()
        writer.write(b"1\n")
    assert _lines(tail) == [b"1"]


def test_a_named_pipe(tmp_path: Path, follow: Open) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    tail = follow(path)
    assert tail.read(LIMIT) == (0, [])  # no writer
    for line in (b"1\n", b"2\n"):
        with path.open("wb", buffering=0) as writer:
            assert tail.read(LIMIT) == (0, [])  # a writer that waits
            writer.write(line)
            assert tail.read(LIMIT) == (2, [line.strip()])
    assert tail.read(LIMIT) == (0, [])
    assert tail.unread == 0


def test_what_is_no_log(tmp_path: Path, follow: Open) -> None:
    for path in (tmp_path, Path("/dev/null")):
        with pytest.raises(NotALogError, match="expected a file that nginx writes to"):
            follow(path)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(tmp_path / "sock"))
        with pytest.raises(OSError, match="device"):
            follow(tmp_path / "sock")


def test_our_own_output_is_not_taken_away(tmp_path: Path) -> None:
    # access.log -> /dev/stdout, as the official image has it, is a pipe in a container.
    read, write = os.pipe()
    saved = os.dup(2)
    os.dup2(write, 2)
    try:
        (tmp_path / "access.log").symlink_to("/dev/fd/2")
        with pytest.raises(NotALogError):
            Tail(str(tmp_path / "access.log"), from_end=True)
    finally:
        os.dup2(saved, 2)
        for number in (read, write, saved):
            os.close(number)


def test_no_descriptor_is_left_behind(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(NotALogError):
        Tail(str(tmp_path), from_end=True)
    assert len(os.listdir("/proc/self/fd")) == before
