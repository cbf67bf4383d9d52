"""A container with its own network tells of the host's: --path.net=/host/proc/1/net."""

from __future__ import annotations

from pathlib import Path

import pytest

from exporters.node.collectors import arp, netdev, sockstat
from exporters.node.paths import Paths
from exporters.node.registry import CollectorSpec, Context
from exporters.toolkit.exposition import encode
from exporters.toolkit.flags import Program


DEV = """\
Inter-|   Receive                            |  Transmit
 face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs
elsewhere0: 1234 5 0 0 0 0 0 0 99 1 0 0 0 0 0 0
"""
ARP = """\
IP address       HW type     Flags       HW address            Mask     Device
192.0.2.7        0x1         0x2         02:00:00:00:00:07     *        elsewhere0
"""
SOCKSTAT = "sockets: used 4711\nTCP: inuse 3 orphan 0 tw 0 alloc 4 mem 1\n"


@pytest.mark.parametrize(
    ("spec", "line"),
    [
        (
            netdev.COLLECTOR,
            'node_network_receive_bytes_total{device="elsewhere0"} 1234',
        ),
        (arp.COLLECTOR, 'node_arp_entries{device="elsewhere0"} 1'),
        (sockstat.COLLECTOR, "node_sockstat_sockets_used 4711"),
    ],
)
def test_net_is_read_there_and_the_kernel_not_asked(
    tmp_path: Path, spec: CollectorSpec, line: str
) -> None:
    for name, text in {"dev": DEV, "arp": ARP, "sockstat": SOCKSTAT}.items():
        (tmp_path / name).write_text(text)
    values = Program("x", "", (spec.switch, *spec.flags)).parse((), {})
    metrics = spec.create(Context(Paths(net=str(tmp_path)), values))()
    assert line in encode(metrics).decode().splitlines()


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("net", "dev"), "/n/dev"),
        (("net/stat/nf_conntrack",), "/n/stat/nf_conntrack"),
        (("netstat",), "/p/netstat"),
        (("1", "net", "dev"), "/p/1/net/dev"),
    ],
)
def test_where(parts: tuple[str, ...], expected: str) -> None:
    assert Paths(procfs="/p", net="/n").proc(*parts) == expected
