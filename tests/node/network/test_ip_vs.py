from __future__ import annotations

import pytest

from exporters.node.network.ip_vs import (
    Backend,
    Service,
    parse,
    parse_endpoint,
    parse_stats,
)


STATS = b"   Total\n   Conns\n%b\n\n Conns/s\n"


def test_stats_are_hexadecimal() -> None:
    assert parse_stats(STATS % b" 1A 2b 0 3 FFFFFFFFFFFFFFFF") == [
        26, 43, 0, 3, 2**64 - 1
    ]  # fmt: skip


@pytest.mark.parametrize(
    "data", [b"", b"a\nb\n1 2 3 4 5", STATS % b"1 2 3 4", STATS % b"1 2 3 4 0x5"]
)
def test_stats_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_stats(data)


@pytest.mark.parametrize(
    ("field", "endpoint"),
    [
        (b"C0A80016:0CEA", ("192.168.0.22", 3306)),
        (b"[fd00:0000:0000:0000:0000:0000:0001:0002]:01BB", ("fd00::1:2", 443)),
        (b"[0000:0000:0000:0000:0000:FFFF:0102:0304]:0000", ("1.2.3.4", 0)),
        (b"[0001:0000:0000:0001:0000:0000:0001:0001]:0000", ("1::1:0:0:1:1", 0)),
    ],
)
def test_endpoint(field: bytes, endpoint: tuple[str, int]) -> None:
    assert parse_endpoint(field) == endpoint


@pytest.mark.parametrize(
    "field",
    [
        b"C0A80016:0CEG",
        b"G0A80016:0CEA",
        b"C0A800:0CEA",
        b"",
        b"[xd00:0000:0000:0000:0000:0000:0001:0002]:01BB",
        b"[fd00:0000:0000:0000:0000:0000:0001:%et0]:01BB",
    ],
)
def test_endpoint_refused(field: bytes) -> None:
    with pytest.raises(ValueError, match=r"xpected|ermitted"):
        parse_endpoint(field)


def test_backends_belong_to_the_service_above() -> None:
    data = (
        b"IP Virtual Server version 1.2.1 (size=4096)\n"
        b"Prot LocalAddress:Port Scheduler Flags\n"
        b"  -> RemoteAddress:Port Forward Weight ActiveConn InActConn\n"
        b"TCP  0A000001:0050 rr\n"
        b"  -> 0A000002:0051 Route 7 1 2\n"
        b"SCTP 0A000001:0052 rr\n"
        b"  -> 0A000003:0053 Route 8 3 4\n"
        b"  -> 0A000003:0053 Route 8\n"
        b"FWM  0000001F rr\n"
        b"  -> 0A000004:0054 Masq 9 5 6\n"
        b"FWM\n"
    )
    assert list(parse(data)) == [
        Backend(Service("TCP", "10.0.0.1", 80, ""), "10.0.0.2", 81, 7, 1, 2),
        Backend(Service("SCTP", "10.0.0.1", 82, ""), "10.0.0.3", 83, 8, 3, 4),
        Backend(Service("FWM", "", 0, "0000001F"), "10.0.0.4", 84, 9, 5, 6),
    ]


def test_a_bad_weight_names_the_line() -> None:
    with pytest.raises(ValueError, match="ip_vs:1: expected an unsigned integer"):
        list(parse(b"  -> 0A000002:0051 Route x 1 2\n"))
