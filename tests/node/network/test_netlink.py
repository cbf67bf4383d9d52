from __future__ import annotations

import contextlib
import errno
import struct

import pytest
from hypothesis import given, strategies as st

from exporters.node.network import netlink
from exporters.node.network.netlink import Answer, Incomplete, NetlinkError
from tests.node.network.netlink_wire import (
    DONE,
    ERROR,
    INTERRUPTED,
    MULTI,
    NEWLINK,
    OVERRUN,
    attribute,
    done,
    message,
)


@pytest.mark.parametrize(("everything", "flags"), [(True, 0x301), (False, 0x5)])
def test_a_request_is_one_message(everything: bool, flags: int) -> None:
    data = netlink.request(18, b"body", 7, everything=everything)
    assert list(netlink.parse_messages(data)) == [(18, flags, 7, b"body")]


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


@given(st.integers(0, 0xFFFF), st.binary(max_size=40))
def test_attributes_are_written_as_the_kernel_writes_them(
    kind: int, value: bytes
) -> None:
    assert netlink.attribute(kind, value) == attribute(kind, value)


def test_flag_bits_are_not_part_of_an_attribute_type() -> None:
    assert list(netlink.parse_attributes(attribute(0x8012, b"x"))) == [(0x12, b"x")]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"\xff", 255),
        (struct.pack("=H", 0x1234), 0x1234),
        (struct.pack("=I", 2**32 - 1), 2**32 - 1),
        (struct.pack("=Q", 2**64 - 2), 2**64 - 2),
    ],
)
def test_integers(value: bytes, expected: int) -> None:
    assert netlink.integer(value) == expected


@pytest.mark.parametrize("size", [0, 3, 5, 9])
def test_integers_of_odd_sizes_are_refused(size: int) -> None:
    with pytest.raises(NetlinkError, match=f"integer of {size} bytes"):
        netlink.integer(bytes(size))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"eth0\0", "eth0"),
        (b"eth0", "eth0"),
        (b"", ""),
        (b"a\0b\0", "a"),
        (b"\xff", "�"),
    ],
)
def test_texts(value: bytes, expected: str) -> None:
    assert netlink.text(value) == expected


@given(st.binary(max_size=120))
def test_rubbish_raises_nothing_but_netlink_error(data: bytes) -> None:
    for parse in (netlink.parse_messages, netlink.parse_attributes):
        with contextlib.suppress(NetlinkError):
            list(parse(data))
    with contextlib.suppress(NetlinkError, OSError, Incomplete):
        Answer(7).feed(message(NEWLINK) + data)


@given(st.data())
def test_a_dump_is_the_same_however_the_kernel_cuts_it(data: st.DataObject) -> None:
    payloads = data.draw(st.lists(st.binary(max_size=20), max_size=8))
    messages = [message(NEWLINK, payload) for payload in payloads] + [done()]
    answer = Answer(7)
    while messages:
        count = data.draw(st.integers(1, len(messages)))
        assert not answer.done
        answer.feed(b"".join(messages[:count]))
        messages = messages[count:]
    assert answer.done
    assert answer.payloads == payloads


def test_one_thing_that_was_asked_for_ends_with_its_acknowledgement() -> None:
    answer = Answer(7)
    done_after: list[bool] = []
    for part in (message(NEWLINK, b"it", flags=0), message(ERROR, bytes(20), flags=0)):
        answer.feed(part)
        done_after.append(answer.done)
    assert done_after == [False, True]
    assert answer.payloads == [b"it"]


def test_answers_to_others_are_not_ours() -> None:
    answer = Answer(7)
    answer.feed(message(NEWLINK, b"old", sequence=6) + message(DONE, sequence=6))
    assert not answer.done
    assert answer.payloads == []


@pytest.mark.parametrize("kind", [ERROR, DONE])
def test_the_kernels_errno_is_raised(kind: int) -> None:
    with pytest.raises(PermissionError):
        Answer(7).feed(message(kind, struct.pack("=i", -errno.EPERM)))


def test_a_torn_dump_says_so() -> None:
    answer = Answer(7)
    answer.feed(message(NEWLINK, b"x", flags=MULTI | INTERRUPTED))
    with pytest.raises(Incomplete):
        answer.feed(done())


def test_a_dump_that_lost_something_says_so() -> None:
    with pytest.raises(Incomplete):
        Answer(7).feed(message(OVERRUN))
