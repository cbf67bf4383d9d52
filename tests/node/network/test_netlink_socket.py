"""Asking over netlink, with a socket that plays the kernel's part from a script."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from types import TracebackType
from typing import NamedTuple, Self

import pytest

from exporters.node import deadline
from exporters.node.network import netlink, netlink_socket
from tests.node.network.netlink_wire import (
    ERROR,
    HEADER,
    INTERRUPTED,
    MULTI,
    NEWLINK,
    done,
    message,
)


class Datagram(NamedTuple):
    """What one recvmsg gives."""

    data: bytes
    flags: int = 0
    port: int = 0


Script = list[Datagram | OSError]


class Kernel:
    """A netlink socket. Each one that is opened plays the next of *scripts*."""

    def __init__(self, scripts: list[Script]) -> None:
        self.scripts = iter(scripts)
        self.requests: list[bytes] = []
        self.rooms: list[int] = []
        self.timeouts: list[float] = []
        self.closed = 0
        self.current: Iterator[Datagram | OSError] = iter(())

    def open(self, family: int, _kind: int, _protocol: int) -> Kernel:
        assert family == socket.AF_NETLINK
        self.current = iter(next(self.scripts))
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.closed += 1

    def bind(self, address: tuple[int, int]) -> None:
        assert address == (0, 0)

    def send(self, request: bytes) -> None:
        self.requests.append(request)

    def settimeout(self, seconds: float) -> None:
        self.timeouts.append(seconds)

    def recvmsg(self, room: int) -> tuple[bytes, list[object], int, tuple[int, int]]:
        self.rooms.append(room)
        answer = next(self.current, TimeoutError("timed out"))
        if isinstance(answer, OSError):
            raise answer
        return answer.data, [], answer.flags, (answer.port, 0)


def kernel(monkeypatch: pytest.MonkeyPatch, *scripts: Script) -> Kernel:
    fake = Kernel(list(scripts))
    monkeypatch.setattr(socket, "socket", fake.open)
    return fake


def link(name: bytes, attempt: int, flags: int = MULTI) -> bytes:
    return message(NEWLINK, name, flags=flags, sequence=attempt)


def whole(attempt: int) -> Script:
    end = done(sequence=attempt)
    return [Datagram(link(b"a", attempt)), Datagram(link(b"b", attempt) + end)]


def ask() -> list[bytes]:
    return netlink_socket.dump(netlink.ROUTE, 18, b"body")


def test_a_dump(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = kernel(monkeypatch, whole(1))
    assert ask() == [b"a", b"b"]
    length, kind, flags, sequence, port = HEADER.unpack_from(fake.requests[0])
    assert (length, kind, flags, sequence, port) == (20, 18, 0x301, 1, 0)
    assert fake.closed == 1


def test_one_question(monkeypatch: pytest.MonkeyPatch) -> None:
    acknowledgement = message(ERROR, bytes(20), sequence=1)
    kernel(monkeypatch, [Datagram(link(b"it", 1) + acknowledgement)])
    assert netlink_socket.ask(netlink.GENERIC, 16, b"") == [b"it"]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(
            [Datagram(link(b"a", 1, MULTI | INTERRUPTED) + done(sequence=1))],
            id="torn",
        ),
        pytest.param([Datagram(link(b"a", 1)[:-1], socket.MSG_TRUNC)], id="truncated"),
        pytest.param(
            [Datagram(link(b"a", 1)), OSError(errno.ENOBUFS, "No buffer space")],
            id="overrun",
        ),
    ],
)
def test_what_is_incomplete_is_asked_for_again(
    fault: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = kernel(monkeypatch, fault, whole(2))
    assert ask() == [b"a", b"b"]
    assert [HEADER.unpack_from(r)[3] for r in fake.requests] == [1, 2]
    assert fake.rooms[-1] == 2 * fake.rooms[0]
    assert fake.closed == 2


def test_what_never_becomes_complete_is_not_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cut: Script = [Datagram(b"", socket.MSG_TRUNC)]
    fake = kernel(monkeypatch, *([cut] * 40))
    with pytest.raises(InterruptedError, match="no complete answer in 30 attempts"):
        ask()
    assert fake.closed == 30
    assert max(fake.rooms) == 1 << 20


def test_only_the_kernel_is_listened_to(monkeypatch: pytest.MonkeyPatch) -> None:
    forged = Datagram(link(b"forged", 1) + done(sequence=1), port=4711)
    kernel(monkeypatch, [forged, *whole(1)])
    assert ask() == [b"a", b"b"]


def test_the_kernels_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel(monkeypatch, [Datagram(done(-errno.EACCES, sequence=1))])
    with pytest.raises(PermissionError):
        ask()


def test_a_silent_kernel_is_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake = kernel(monkeypatch, [])
    with pytest.raises(TimeoutError):
        ask()
    assert 9 < fake.timeouts[0] <= 10


def test_a_scrape_that_waits_less_is_heeded(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = kernel(monkeypatch, whole(1))
    with deadline.within(0.5):
        ask()
    assert max(fake.timeouts) <= 0.5


def test_nothing_is_awaited_when_the_time_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake = kernel(monkeypatch, whole(1))
    with deadline.within(0), pytest.raises(TimeoutError, match="no answer in time"):
        ask()
    assert fake.rooms == []
    assert fake.closed == 1
