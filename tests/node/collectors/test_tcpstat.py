from __future__ import annotations

import socket
from pathlib import Path

import pytest

from exporters.node.collectors import tcpstat
from exporters.node.network import tcp_sockets
from exporters.node.paths import Paths
from tests.node.conftest import Run
from tests.node.network.test_tcp_sockets import row


@pytest.fixture(autouse=True)
def kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    sockets = {
        socket.AF_INET: [row(1, 3, 4), row(10, 0, 128)],
        socket.AF_INET6: [row(1, 5, 6), row(6)],
    }
    monkeypatch.setattr(tcp_sockets, "read_sockets", lambda family: sockets[family])


def states(run: Run, where: Path) -> dict[str, float]:
    (family,) = run(tcpstat.COLLECTOR, where=Paths(procfs=str(where)))
    assert family.name == "node_tcp_connection_states"
    assert family.documentation == "Number of connection states."
    return {sample.labels["state"]: sample.value for sample in family.samples}


def test_ipv4_alone(run: Run, tmp_path: Path) -> None:
    assert states(run, tmp_path) == {
        "established": 1,
        "listen": 1,
        "rx_queued_bytes": 3,
        "tx_queued_bytes": 132,
    }


def test_ipv6_where_the_kernel_has_it(run: Run, tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    (tmp_path / "net/tcp6").touch()
    assert states(run, tmp_path) == {
        "established": 2,
        "listen": 1,
        "time_wait": 1,
        "rx_queued_bytes": 8,
        "tx_queued_bytes": 138,
    }


def test_no_socket_at_all(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tcp_sockets, "read_sockets", lambda _: [])
    assert states(run, tmp_path) == {}
