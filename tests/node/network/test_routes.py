from __future__ import annotations

import contextlib
import socket
import struct

import pytest
from hypothesis import given, strategies as st

from exporters.node.network import routes
from exporters.node.network.netlink import NetlinkError
from exporters.node.network.routes import Hop, Route
from tests.node.network.netlink_wire import attribute, u32


UNICAST, LOCAL, BLACKHOLE = 1, 2, 6


def packed(text: str) -> bytes:
    return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)


def route(
    *attributes: bytes,
    family: int = socket.AF_INET,
    length: int = 0,
    kind: int = UNICAST,
    protocol: int = 4,
) -> bytes:
    header = struct.pack("=BBBBBBBBI", family, length, 0, 0, 254, protocol, 0, kind, 0)
    return header + b"".join(attributes)


def address(kind: int, text: str) -> bytes:
    return attribute(kind, packed(text))


def hop(index: int, hops: int, *attributes: bytes) -> bytes:
    body = b"".join(attributes)
    return struct.pack("=HBBI", 8 + len(body), 0, hops, index) + body


VIA = address(5, "192.0.2.254")


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        pytest.param(
            route(VIA, u32(4, 2), protocol=16),
            Route("", "default", 0, 16, (Hop(2, "192.0.2.254", ""),)),
            id="default",
        ),
        pytest.param(
            route(
                address(1, "203.0.113.0"),
                address(7, "192.0.2.1"),
                u32(4, 3),
                u32(6, 77),
                length=24,
            ),
            Route("192.0.2.1", "203.0.113.0/24", 77, 4, (Hop(3, "", ""),)),
            id="on the link",
        ),
        pytest.param(
            route(
                address(1, "10.7.0.0"),
                attribute(9, hop(2, 2, VIA), hop(5, 255)),
                length=16,
            ),
            Route(
                "",
                "10.7.0.0/16",
                0,
                4,
                (Hop(2, "192.0.2.254", "3"), Hop(5, "", "256")),
            ),
            id="two hops",
        ),
        pytest.param(
            route(
                address(1, "fd00:8::"),
                address(5, "fe80::1"),
                u32(6, 1024),
                u32(4, 2),
                family=socket.AF_INET6,
                length=64,
                protocol=9,
            ),
            Route("", "fd00:8::/64", 1024, 9, (Hop(2, "fe80::1", ""),)),
            id="IPv6",
        ),
        pytest.param(
            route(address(1, "::ffff:0:0"), family=socket.AF_INET6, length=96),
            Route("", "::ffff:0.0.0.0/96", 0, 4, (Hop(0, "", ""),)),
            id="IPv4 mapped into IPv6",
        ),
        pytest.param(
            # RTA_VIA: a gateway of another family, which upstream does not read
            route(attribute(18, b"\n\0" + bytes(16)), u32(4, 2)),
            Route("", "default", 0, 4, (Hop(2, "", ""),)),
            id="via IPv6",
        ),
        pytest.param(route(kind=LOCAL), None, id="local"),
        pytest.param(route(kind=BLACKHOLE), None, id="blackhole"),
        pytest.param(route(family=35), None, id="phonet"),
    ],
)
def test_routes(payload: bytes, expected: Route | None) -> None:
    assert routes.parse_route(payload) == expected


@pytest.mark.parametrize(
    ("payload", "fault"),
    [
        (b"short", "route message of 5 bytes"),
        (route(attribute(5, b"abc")), "address of 3 bytes"),
        (route(attribute(9, b"abc")), "3 bytes left of a next hop"),
        (route(attribute(9, hop(1, 0)[:-4] + bytes(4) + b"\1")), "next hop"),
        (route(attribute(9, struct.pack("=HBBI", 7, 0, 0, 1))), "claims 7 bytes"),
        (route(attribute(9, struct.pack("=HBBI", 12, 0, 0, 1))), "claims 12 bytes"),
    ],
)
def test_broken_routes(payload: bytes, fault: str) -> None:
    with pytest.raises(NetlinkError, match=fault):
        routes.parse_route(payload)


@given(st.binary(max_size=120))
def test_rubbish_raises_nothing_but_netlink_error(data: bytes) -> None:
    for payload in (data, route() + data, route(attribute(9, data))):
        with contextlib.suppress(NetlinkError):
            routes.parse_route(payload)
