from __future__ import annotations

import contextlib
import errno
import socket
import struct
import threading

import pytest
from hypothesis import given, strategies as st

from exporters.node import netlink
from exporters.node.netlink import Dump, DumpInterrupted, NetlinkError


HEADER = struct.Struct("=IHHII")
NEWLINK, ERROR, DONE = 16, 2, 3
MULTI, INTERRUPTED = 0x2, 0x10


def message(
    kind: int, payload: bytes = b"", *, flags: int = MULTI, sequence: int = 7
) -> bytes:
    length = HEADER.size + len(payload)
    padding = bytes(-length % 4)
    return HEADER.pack(length, kind, flags, sequence, 0) + payload + padding


def attribute(kind: int, value: bytes) -> bytes:
    length = 4 + len(value)
    return struct.pack("=HH", length, kind) + value + bytes(-length % 4)


def done(code: int = 0) -> bytes:
    return message(DONE, struct.pack("=i", code))


def test_a_request_is_one_message_that_asks_for_everything() -> None:
    (request,) = netlink.parse_messages(netlink.dump_request(18, b"body", 7))
    assert request == (18, 0x301, 7, b"body")


@given(st.lists(st.tuples(st.integers(0, 65535), st.binary(max_size=40))))
def test_messages_come_back_as_they_were_built(
    pairs: list[tuple[int, bytes]],
) -> None:
    datagram = b"".join(message(kind, payload) for kind, payload in pairs)
    found = [(m.type, m.payload) for m in netlink.parse_messages(datagram)]
    assert found == pairs


@given(
    st.lists(st.tuples(st.integers(0, 0x3FFF), st.binary(max_size=40))),
    st.binary(max_size=16),
)
def test_attributes_come_back_as_they_were_built(
    pairs: list[tuple[int, bytes]], header: bytes
) -> None:
    data = header + b"".join(attribute(kind, value) for kind, value in pairs)
    assert list(netlink.parse_attributes(data, len(header))) == pairs


def test_flag_bits_are_not_part_of_an_attribute_type() -> None:
    assert list(netlink.parse_attributes(attribute(0x8012, b"x"))) == [(0x12, b"x")]


@given(st.binary(max_size=120))
def test_rubbish_raises_nothing_but_netlink_error(data: bytes) -> None:
    for parse in (netlink.parse_messages, netlink.parse_attributes):
        with contextlib.suppress(NetlinkError):
            list(parse(data))
    dump = Dump(7)
    with contextlib.suppress(NetlinkError, OSError, DumpInterrupted):
        dump.feed(message(NEWLINK) + data)


@given(st.data())
def test_a_dump_is_the_same_however_the_kernel_cuts_it(data: st.DataObject) -> None:
    payloads = data.draw(st.lists(st.binary(max_size=20), max_size=8))
    messages = [message(NEWLINK, payload) for payload in payloads] + [done()]
    dump = Dump(7)
    while messages:
        count = data.draw(st.integers(1, len(messages)))
        assert not dump.done
        dump.feed(b"".join(messages[:count]))
        messages = messages[count:]
    assert dump.done
    assert dump.payloads == payloads


def test_answers_to_others_are_not_ours() -> None:
    dump = Dump(7)
    dump.feed(message(NEWLINK, b"old", sequence=6) + message(DONE, sequence=6))
    assert not dump.done
    assert dump.payloads == []


@pytest.mark.parametrize("kind", [ERROR, DONE])
def test_the_kernels_errno_is_raised(kind: int) -> None:
    with pytest.raises(PermissionError):
        Dump(7).feed(message(kind, struct.pack("=i", -errno.EPERM)))


def test_a_torn_dump_says_so() -> None:
    dump = Dump(7)
    dump.feed(message(NEWLINK, b"x", flags=MULTI | INTERRUPTED))
    with pytest.raises(DumpInterrupted):
        dump.feed(done())


class Kernel:
    """Answers on a socket pair; it counts the requests."""

    def __init__(self, answers: list[list[bytes]]) -> None:
        self.ours, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.answers = answers
        self.requests = 0

    def serve(self) -> None:
        for answer in self.answers:
            request = self.theirs.recv(1000)
            self.requests += 1
            sequence = HEADER.unpack_from(request)[3]
            for kind, flags in zip(answer[::2], answer[1::2], strict=True):
                self.theirs.send(message(kind[0], flags=flags[0], sequence=sequence))


class FakeSocket(socket.socket):
    """A datagram socket that says, as netlink does, that the kernel spoke."""

    def bind(self, address: object) -> None:
        assert address == (0, 0)

    def recvmsg(self, *args: int) -> tuple[bytes, list[object], int, tuple[int, int]]:  # type: ignore[override]
        return self.recv(*args), [], 0, (0, 0)


def connect(monkeypatch: pytest.MonkeyPatch, kernel: Kernel) -> None:
    fake = FakeSocket(fileno=kernel.ours.detach())
    monkeypatch.setattr(socket, "socket", lambda *_: fake)


def test_a_torn_dump_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    torn = [bytes([NEWLINK]), bytes([MULTI | INTERRUPTED]), bytes([DONE]), bytes([2])]
    whole = [bytes([NEWLINK]), bytes([MULTI]), bytes([DONE]), bytes([2])]
    kernel = Kernel([torn, whole])
    connect(monkeypatch, kernel)
    thread = threading.Thread(target=kernel.serve)
    thread.start()
    assert netlink.dump(18, b"") == [b""]
    thread.join()
    assert kernel.requests == 2
    kernel.theirs.close()


def test_a_silent_kernel_is_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kernel = Kernel([])
    connect(monkeypatch, kernel)
    with pytest.raises(TimeoutError):
        netlink.dump(18, b"", timeout_seconds=0.02)
    kernel.theirs.close()
