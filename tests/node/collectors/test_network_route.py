from __future__ import annotations

import pytest

from exporters.node.collectors import network_route
from exporters.node.network import routes, rtnetlink
from exporters.node.network.routes import Hop, Route
from tests.node.conftest import Run


ROUTES = [
    Route("", "default", 0, 16, (Hop(2, "192.0.2.254", ""),)),
    Route("192.0.2.1", "192.0.2.0/24", 100, 2, (Hop(2, "", ""),)),
    Route("", "10.7.0.0/16", 0, 4, (Hop(2, "192.0.2.2", "3"), Hop(3, "", "1"))),
    Route("", "10.9.0.0/16", 0, 99, (Hop(3, "", ""),)),
    Route("", "10.9.0.0/16", 0, 99, (Hop(3, "", ""),)),  # in another table
    Route("", "fd00::/64", 1024, 186, (Hop(9, "", ""),)),
]


@pytest.fixture(autouse=True)
def kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "read_routes", lambda: ROUTES)
    monkeypatch.setattr(
        rtnetlink, "interface_names", lambda _: {2: "eth0", 3: "tunnel7"}
    )


def test_routes(run: Run) -> None:
    info, total = run(network_route.COLLECTOR)
    assert (info.name, total.name) == (
        "node_network_route_info",
        "node_network_routes",
    )
    assert [tuple(sample.labels.values()) for sample in info.samples] == [
        ("eth0", "", "default", "192.0.2.254", "0", "dhcp", ""),
        ("eth0", "192.0.2.1", "192.0.2.0/24", "", "100", "kernel", ""),
        ("eth0", "", "10.7.0.0/16", "192.0.2.2", "0", "static", "3"),
        ("tunnel7", "", "10.7.0.0/16", "", "0", "static", "1"),
        ("tunnel7", "", "10.9.0.0/16", "", "0", "unknown", ""),
        ("", "", "fd00::/64", "", "1024", "bgp", ""),
    ]
    assert list(info.samples[0].labels) == [
        "device",
        "src",
        "dest",
        "gw",
        "priority",
        "proto",
        "weight",
    ]
    assert {s.value for s in info.samples} == {1}
    assert {s.labels["device"]: s.value for s in total.samples} == {
        "eth0": 3,
        "tunnel7": 3,
        "": 1,
    }


def test_the_common_filter(run: Run) -> None:
    flag = "--collector.network.device-exclude=^tunnel"
    _, total = run(network_route.COLLECTOR, flag)
    assert {s.labels["device"]: s.value for s in total.samples} == {"eth0": 3, "": 1}
