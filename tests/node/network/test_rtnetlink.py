from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from exporters.node.network import rtnetlink
from exporters.node.network.netlink import NetlinkError
from exporters.node.network.rtnetlink import Address
from tests.node.network.netlink_wire import attribute


ROOT = Path(__file__).parents[3]
LINK = struct.pack("=BxHiII", 0, 1, 2, 0x1003, 0)


def stats(count: int, letter: str = "Q") -> bytes:
    return struct.pack(f"={count}{letter}", *range(1, count + 1))


NAME = attribute(3, b"eth0\0")


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        (NAME, None),
        (NAME + attribute(23, stats(24)), tuple(range(1, 25))),
        (NAME + attribute(23, stats(25)), tuple(range(1, 25))),  # otherhost_dropped
        (NAME + attribute(23, stats(23)), (*range(1, 24), 0)),  # before nohandler
        (NAME + attribute(7, stats(24, "I")), tuple(range(1, 25))),
        (
            attribute(7, stats(24, "I")) + NAME + attribute(23, bytes(8 * 24)),
            (0,) * 24,
        ),
        (NAME + attribute(23, b"short"), None),
    ],
)
def test_links(attributes: bytes, expected: tuple[int, ...] | None) -> None:
    assert rtnetlink.parse_link(LINK + attributes) == ("eth0", expected)


def test_neighbours() -> None:
    payload = struct.pack("=BxxxiHBB", socket.AF_INET, 4, 0x40, 0, 1)
    found = rtnetlink.parse_neighbour(payload + attribute(1, bytes(4)))
    assert found == (4, rtnetlink.NUD_NOARP)


def address(family: int, prefix: int, *attributes: tuple[int, bytes]) -> bytes:
    header = struct.pack("=BBBBI", family, prefix, 0, 0, 4)
    return header + b"".join(attribute(kind, value) for kind, value in attributes)


def test_addresses_are_the_local_end() -> None:
    payload = address(socket.AF_INET, 32, (1, b"peer"), (2, b"\xc0\0\2\1"))
    assert rtnetlink.parse_address(payload) == (4, 32, b"\xc0\0\2\1")


def test_addresses_of_other_families_are_left_out() -> None:
    assert rtnetlink.parse_address(address(socket.AF_UNIX, 0, (1, b"x"))) is None


@pytest.mark.parametrize(
    "payload",
    [address(socket.AF_INET, 33, (1, bytes(4))), address(2, 8, (1, bytes(16)))],
)
def test_impossible_addresses_are_refused(payload: bytes) -> None:
    with pytest.raises(NetlinkError):
        rtnetlink.parse_address(payload)


def test_an_address_shows_as_go_shows_it() -> None:
    found = Address(1, 96, socket.inet_pton(socket.AF_INET6, "::ffff:192.0.2.1"))
    assert (found.text, found.scope) == ("192.0.2.1", "global")


@given(st.binary(max_size=300))
def test_rubbish_raises_nothing_but_netlink_error(data: bytes) -> None:
    parsers = (
        rtnetlink.parse_link,
        rtnetlink.parse_neighbour,
        rtnetlink.parse_address,
    )
    for parse in parsers:
        with contextlib.suppress(NetlinkError):
            parse(data)


def test_names_of_interfaces_that_are_gone_are_left_out() -> None:
    names = rtnetlink.interface_names([1, 2**31 - 1, 2**40])
    assert set(names) == {1}


def test_the_kernel_counts_as_in_sysfs() -> None:
    links = {link.name: link.stats for link in rtnetlink.read_links()}
    assert set(links) >= {name for _, name in socket.if_nameindex()} - {"gone"}
    before = links["lo"]
    assert before is not None
    sysfs = int(Path("/sys/class/net/lo/statistics/rx_bytes").read_text())
    assert before[2] <= sysfs


SETUP = """
ip link set lo up
ip link add probe0 type veth peer name probe1
ip link set probe0 up
ip link set probe1 up
ip addr add 192.0.2.1/24 dev probe0
ip neigh add 192.0.2.7 lladdr 02:00:00:00:00:07 dev probe0 nud permanent
ip neigh add 192.0.2.8 lladdr 02:00:00:00:00:08 dev probe0 nud noarp
exec "$@"
"""
PROGRAM = """
import json
from exporters.node.network import rtnetlink as r
from exporters.node.collectors import arp
addresses = r.read_addresses()
names = r.interface_names(a.interface_index for a in addresses)
print(json.dumps([
    sorted(l.name for l in r.read_links()),
    arp.read_netlink(),
    [(names[a.interface_index], a.text, a.prefix_length)
     for a in addresses if a.text.startswith("192")],
]))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="a network namespace needs root")
@pytest.mark.skipif(shutil.which("ip") is None, reason="needs iproute2")
def test_a_network_namespace_with_known_neighbours() -> None:
    command = ["unshare", "-n", "sh", "-ec", SETUP, "sh", sys.executable, "-c", PROGRAM]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
    )
    if "Unknown device type" in done.stderr:
        pytest.skip("this kernel has no veth")
    assert done.returncode == 0, done.stderr
    links, entries, addresses = json.loads(done.stdout)
    assert {"lo", "probe0", "probe1"} <= set(links)
    assert entries == {"probe0": 1}
    assert addresses == [["probe0", "192.0.2.1", 24]]
