from __future__ import annotations

import contextlib
import socket
import struct

import pytest
from hypothesis import given, strategies as st

from exporters.node.network import netlink_socket, tcp_sockets
from exporters.node.network.netlink import NetlinkError


def row(state: int, received: int = 0, written: int = 0) -> bytes:
    identity = bytes(48)
    tail = struct.pack("=IIIII", 0, received, written, 0, 4711)
    return struct.pack("=BBBB", socket.AF_INET, state, 0, 0) + identity + tail


@pytest.mark.parametrize(
    ("state", "name"),
    [
        (1, "established"),
        (2, "syn_sent"),
        (3, "syn_recv"),
        (4, "fin_wait1"),
        (5, "fin_wait2"),
        (6, "time_wait"),
        (7, "close"),
        (8, "close_wait"),
        (9, "last_ack"),
        (10, "listen"),
        (11, "closing"),
        (0, "unknown"),
        (12, "unknown"),
        (255, "unknown"),
    ],
)
def test_states(state: int, name: str) -> None:
    assert tcp_sockets.count([row(state)])[name] == 1


def test_counts() -> None:
    rows = [row(1, 10, 200), row(1, 2**32 - 1, 1), row(10, 0, 4096) + b"attributes"]
    assert tcp_sockets.count(rows) == {
        "established": 2,
        "listen": 1,
        "rx_queued_bytes": 10 + 2**32 - 1,
        "tx_queued_bytes": 4297,
    }


def test_no_socket_is_no_count() -> None:
    assert tcp_sockets.count([]) == {}


@given(st.lists(st.binary(max_size=100), max_size=4))
def test_rubbish_raises_nothing_but_netlink_error(payloads: list[bytes]) -> None:
    with contextlib.suppress(NetlinkError):
        tcp_sockets.count(payloads)


def test_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    def dump(protocol: int, kind: int, body: bytes) -> list[bytes]:
        assert (protocol, kind) == (4, 20)
        assert body == struct.pack("=BBBBI", 10, 6, 0, 0, 0xFFF) + bytes(48)
        return [b"it"]

    monkeypatch.setattr(netlink_socket, "dump", dump)
    assert tcp_sockets.read_sockets(socket.AF_INET6) == [b"it"]


def test_a_listening_socket_of_this_host_is_counted() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=7):
        found = tcp_sockets.count(tcp_sockets.read_sockets(socket.AF_INET))
    assert found["listen"] >= 1
    assert found["tx_queued_bytes"] >= 7  # the backlog, as upstream
