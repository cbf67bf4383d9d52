from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, strategies as st

from exporters.node.network import genetlink, netlink, netlink_socket
from exporters.node.network.genetlink import Family
from exporters.node.network.netlink import NetlinkError
from tests.node.network.netlink_wire import attribute, text, u16, u32


HEADER = b"\1\2\0\0"
WHOLE = HEADER + text(2, "nl80211") + u16(1, 28) + u32(3, 1) + attribute(7, b"")


def test_a_family() -> None:
    assert genetlink.parse_family(WHOLE) == Family(28, 1)


@pytest.mark.parametrize(
    ("payload", "fault"),
    [
        (b"\1", "generic message of 1 bytes"),
        (HEADER + u32(3, 1), "without a number"),
        (HEADER + attribute(1, b"abc"), "integer of 3 bytes"),
    ],
)
def test_a_family_that_is_none(payload: bytes, fault: str) -> None:
    with pytest.raises(NetlinkError, match=fault):
        genetlink.parse_family(payload)


@given(st.binary(max_size=80))
def test_rubbish_raises_nothing_but_netlink_error(data: bytes) -> None:
    for payload in (data, HEADER + data):
        with contextlib.suppress(NetlinkError):
            genetlink.parse_family(payload)


def test_a_family_is_found_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(protocol: int, kind: int, body: bytes) -> list[bytes]:
        assert (protocol, kind) == (16, 16)
        assert body == b"\3\1\0\0" + text(2, "nl80211")
        return [WHOLE]

    monkeypatch.setattr(netlink_socket, "ask", ask)
    assert genetlink.find_family("nl80211") == Family(28, 1)


def test_a_dump_is_without_the_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    def dump(protocol: int, kind: int, body: bytes) -> list[bytes]:
        assert (protocol, kind, body) == (16, 28, b"\5\1\0\0wanted")
        return [HEADER + b"one", HEADER]

    monkeypatch.setattr(netlink_socket, "dump", dump)
    assert genetlink.dump(Family(28, 1), 5, b"wanted") == [b"one", b""]


def test_the_kernel_knows_the_family_of_families() -> None:
    assert genetlink.find_family("nlctrl").id == netlink.GENERIC


def test_a_family_that_the_kernel_does_not_have() -> None:
    with pytest.raises(FileNotFoundError):
        genetlink.find_family("never-was")
