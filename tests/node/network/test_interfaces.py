from __future__ import annotations

import contextlib
import struct
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from exporters.node.network import interfaces
from exporters.node.network.interfaces import Interface
from exporters.node.network.netlink import NetlinkError
from tests.node.network.netlink_wire import NESTED, attribute, text, u8, u32


HEADER = struct.pack("=BxHIII", 0, 1, 4, 0x11043, 0)
STATS = tuple(range(1, 25))
WHOLE = HEADER + b"".join(
    (
        text(3, "uplink"),
        u32(13, 1000),
        u8(16, 6),
        u8(17, 1),
        u32(4, 9000),
        u32(27, 7),
        u8(33, 1),
        u32(35, 5),
        u32(47, 3),
        u32(48, 2),
        u32(5, 9),
        text(20, "to core"),
        attribute(1, bytes.fromhex("02fc00000a0b")),
        attribute(2, b"\xff" * 6),
        attribute(23, struct.pack("=24Q", *STATS)),
        attribute(52 | NESTED, text(53, "enp9s0"), text(53, ""), text(53, "slot7")),
    )
)


def test_everything() -> None:
    assert interfaces.parse_interface(WHOLE) == Interface(
        name="uplink",
        address="02:fc:00:00:0a:0b",
        broadcast="ff:ff:ff:ff:ff:ff",
        alias="to core",
        other_names=("enp9s0", "slot7"),
        state="up",
        numbers={
            "protocol_type": 1,
            "iface_id": 4,
            "flags": 0x11043,
            "dormant": 0,
            "iface_link": 9,
            "mtu_bytes": 9000,
            "transmit_queue_length": 1000,
            "iface_link_mode": 1,
            "net_dev_group": 7,
            "carrier": 1,
            "carrier_changes_total": 5,
            "carrier_up_changes_total": 3,
            "carrier_down_changes_total": 2,
        },
        stats=STATS,
    )


def test_next_to_nothing() -> None:
    found = interfaces.parse_interface(HEADER)
    assert found == Interface("", "", "", "", (), "unknown", found.numbers, None)
    assert found.numbers == {
        "protocol_type": 1,
        "iface_id": 4,
        "flags": 0x11043,
        "dormant": 0,
        "iface_link": 4,  # itself, for which the kernel says nothing
    }


@pytest.mark.parametrize(
    ("number", "state"),
    [
        (0, "unknown"),
        (1, "notpresent"),
        (2, "down"),
        (3, "lowerlayerdown"),
        (4, "testing"),
        (5, "dormant"),
        (6, "up"),
        (7, "unknown"),
        (255, "unknown"),
    ],
)
def test_states(number: int, state: str) -> None:
    assert interfaces.parse_interface(HEADER + u8(16, number)).state == state


def test_a_dormant_interface() -> None:
    header = struct.pack("=BxHIII", 0, 1, 4, 1 << 17, 0)
    assert interfaces.parse_interface(header).numbers["dormant"] == 1


def test_a_tunnels_address_is_four_bytes() -> None:
    found = interfaces.parse_interface(HEADER + attribute(1, b"\x0a\0\0\1"))
    assert found.address == "0a:00:00:01"


@given(st.binary(max_size=120))
def test_rubbish_raises_nothing_but_netlink_error(data: bytes) -> None:
    for payload in (data, HEADER + data):
        with contextlib.suppress(NetlinkError):
            interfaces.parse_interface(payload)


def test_loopback_of_this_host() -> None:
    found = {i.name: i for i in interfaces.read_interfaces()}
    mtu = int(Path("/sys/class/net/lo/mtu").read_text())
    assert found["lo"].numbers["mtu_bytes"] == mtu
    assert found["lo"].address == "00:00:00:00:00:00"
