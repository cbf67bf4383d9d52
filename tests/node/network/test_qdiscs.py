from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given, strategies as st

from exporters.node.network import netlink_socket, qdiscs, rtnetlink
from exporters.node.network.netlink import NetlinkError
from exporters.node.network.qdiscs import Counts, Qdisc, Root
from tests.node.network.netlink_wire import NESTED, attribute, text


ROOT, INGRESS = 0xFFFFFFFF, 0xFFFFFFF1
OLD = attribute(3, struct.pack("=QIIIIIIII", 2**40, 8, 7, 6, 5, 4, 3, 2, 0))
NEW = attribute(
    7 | NESTED,
    attribute(1, struct.pack("=QIxxxx", 2**41, 18)),
    attribute(3, struct.pack("=IIIII", 13, 12, 17, 19, 16)),
    attribute(4, bytes(72)),
)


def qdisc(*attributes: bytes, parent: int = ROOT) -> bytes:
    header = struct.pack("=BxxxiIII", 0, 3, 0x80010000, parent, 2)
    return header + text(1, "fq_codel") + b"".join(attributes)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (qdisc(NEW), Counts(2**41, 18, 17, 19, 16, 13, 12)),
        (qdisc(OLD), Counts(2**40, 8, 7, 0, 6, 3, 2)),
        (qdisc(NEW, OLD), Counts(2**40, 8, 7, 19, 6, 3, 2)),
        (qdisc(OLD, NEW, parent=0), Counts(2**40, 8, 7, 19, 6, 3, 2)),
        (qdisc(), Counts()),
        (qdisc(attribute(7)), Counts()),
    ],
)
def test_roots(payload: bytes, expected: Counts) -> None:
    assert qdiscs.parse_root(payload) == Root(3, "fq_codel", expected)


@pytest.mark.parametrize("parent", [INGRESS, 0x10001, 1])
def test_what_is_no_root_is_left_out(parent: int) -> None:
    assert qdiscs.parse_root(qdisc(NEW, parent=parent)) is None


@pytest.mark.parametrize(
    ("payload", "fault"),
    [
        (b"short", "qdisc message of 5 bytes"),
        (qdisc(attribute(3, bytes(35))), "statistics of 35 bytes"),
        (qdisc(attribute(7, attribute(3, bytes(8)))), "statistics of 8 bytes"),
    ],
)
def test_broken_messages(payload: bytes, fault: str) -> None:
    with pytest.raises(NetlinkError, match=fault):
        qdiscs.parse_root(payload)


@given(st.binary(max_size=120))
def test_rubbish_raises_nothing_but_netlink_error(data: bytes) -> None:
    for payload in (data, qdisc(data), qdisc(attribute(7, data))):
        with contextlib.suppress(NetlinkError):
            qdiscs.parse_root(payload)


def test_devices_that_are_gone_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = struct.pack("=BxxxiIII", 0, 9, 0, ROOT, 2) + text(1, "noqueue")

    def dump(protocol: int, kind: int, body: bytes) -> list[bytes]:
        assert (protocol, kind, body) == (0, 38, bytes(20))
        return [qdisc(OLD), gone, qdisc(parent=INGRESS)]

    monkeypatch.setattr(netlink_socket, "dump", dump)
    monkeypatch.setattr(rtnetlink, "interface_names", lambda _: {3: "eth0"})
    counts = Counts(2**40, 8, 7, 0, 6, 3, 2)
    assert qdiscs.read_roots() == [Qdisc("eth0", "fq_codel", counts)]
