from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, strategies as st

from exporters.node.network import genetlink, link_modes
from exporters.node.network.genetlink import Family
from exporters.node.network.link_modes import LinkMode
from exporters.node.network.netlink import NetlinkError
from tests.node.network.netlink_wire import NESTED, attribute, text, u8, u32


def mode(*attributes: bytes, device: str = "eth0") -> bytes:
    header = attribute(1 | NESTED, u32(1, 3), text(2, device))
    return header + b"".join(attributes)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (mode(u8(2, 1), u32(5, 1000), u8(6, 1)), LinkMode("eth0", 1000, "Full")),
        (mode(u32(5, 10), u8(6, 0)), LinkMode("eth0", 10, "Half")),
        (mode(u32(5, 2**32 - 1), u8(6, 255)), LinkMode("eth0", -1, "Unknown")),
        (mode(u32(5, 400_000), u8(6, 7)), LinkMode("eth0", 400_000, "Duplex(7)")),
        (mode(), LinkMode("eth0", None, "")),
        (b"", LinkMode("", None, "")),
    ],
)
def test_modes(data: bytes, expected: LinkMode) -> None:
    assert link_modes.parse_link_mode(data) == expected


@given(st.binary(max_size=120))
def test_rubbish_raises_nothing_but_netlink_error(data: bytes) -> None:
    for whole in (data, mode() + data):
        with contextlib.suppress(NetlinkError):
            link_modes.parse_link_mode(whole)


def test_everything_is_asked_for_in_short(monkeypatch: pytest.MonkeyPatch) -> None:
    def dump(family: Family, command: int, wanted: bytes) -> list[bytes]:
        assert (family, command) == (Family(21, 1), 4)
        assert wanted == attribute(1 | NESTED, u32(3, 1))
        return [mode(u32(5, 100)), mode(device="eth1")]

    monkeypatch.setattr(genetlink, "find_family", lambda _: Family(21, 1))
    monkeypatch.setattr(genetlink, "dump", dump)
    assert [m.device for m in link_modes.read_link_modes()] == ["eth0", "eth1"]
