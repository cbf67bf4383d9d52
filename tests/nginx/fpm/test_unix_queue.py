from __future__ import annotations

import os
import socket
import struct
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from exporters.nginx.fpm.unix_queue import (
    Key,
    Queue,
    file_key,
    listen_queues,
    parse_dump,
)


@pytest.mark.parametrize("waiting", [0, 1, 3])
def test_the_kernel(tmp_path: Path, waiting: int) -> None:
    path = str(tmp_path / "sock")
    link = tmp_path / "link"
    link.symlink_to(path)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(path)
        sock.listen(7)
        clients = [socket.socket(socket.AF_UNIX) for _ in range(waiting)]
        for client in clients:
            client.connect(path)
        key = file_key(str(link))
        queues = listen_queues()
        for client in clients:
            client.close()
    assert key is not None
    assert queues[key] == Queue(waiting, 7)
    assert key not in listen_queues()


def test_no_file(tmp_path: Path) -> None:
    assert file_key(str(tmp_path / "none")) is None
    assert file_key("\0") is None


def test_where_there_is_no_netlink(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "AF_NETLINK")
    assert listen_queues() == {}


def test_where_the_kernel_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise PermissionError

    monkeypatch.setattr(socket, "socket", refuse)
    assert listen_queues() == {}


def _message(kind: int, body: bytes = b"") -> bytes:
    return struct.pack("=IHHII", 16 + len(body), kind, 2, 1, os.getpid()) + body


def _attribute(kind: int, data: bytes) -> bytes:
    head = struct.pack("=HH", 4 + len(data), kind)
    return head + data + b"\0" * (-len(data) % 4)


PAIR = struct.Struct("=II")
SOCKET = (
    b"s" * 16
    + _attribute(0, b"/run/php.sock")
    + _attribute(1, PAIR.pack(17, 5))
    + _attribute(4, PAIR.pack(2, 511))
)
WITHOUT_A_FILE = b"s" * 16 + _attribute(0, b"\0name") + _attribute(4, PAIR.pack(9, 9))


def test_a_dump() -> None:
    queues: dict[Key, Queue] = {}
    part = _message(20, SOCKET) + _message(20, WITHOUT_A_FILE)
    assert parse_dump(part, queues) is False
    assert queues == {(5, 17): Queue(2, 511)}
    assert parse_dump(_message(3, b"\0\0\0\0"), queues) is True


def test_an_error() -> None:
    with pytest.raises(OSError, match="refused"):
        parse_dump(_message(2, struct.pack("=i", -2)), {})


@given(st.binary(), st.integers(0, 120))
def test_never_anything_but_the_one_error(junk: bytes, cut: int) -> None:
    for data in (junk, _message(20, SOCKET[:cut] + junk), _message(20, SOCKET)[:cut]):
        try:
            parse_dump(data, {})
        except OSError:
            continue
