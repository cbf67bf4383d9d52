from __future__ import annotations

from pathlib import Path

from exporters.node.collectors import drbd
from exporters.node.registry import NoData
from tests.node.hosts import collect


def test_not_loaded_is_no_data(tmp_path: Path) -> None:
    assert isinstance(collect(drbd.COLLECTOR, "", tmp_path).error, NoData)


def test_version_9_says_nothing(tmp_path: Path) -> None:
    host = "proc/drbd: version: 9.2.4 (api:2/proto:86-121)"
    assert collect(drbd.COLLECTOR, host, tmp_path) == ({}, None)


def test_parse() -> None:
    data = b"a:b cs:X\n 0: ns:5 finish: 0:01:02 99999999999999999999: end\n12: cs:Y"
    assert list(drbd.parse(data)) == [
        ("unknown", "a", "b"),
        ("unknown", "cs", "X"),
        ("drbd0", "ns", "5"),
        ("drbd0", "finish", ""),
        ("drbd0", "99999999999999999999", ""),
        ("drbd12", "cs", "Y"),
    ]


def test_a_bad_value_costs_only_itself(tmp_path: Path) -> None:
    host = "proc/drbd: 0: ns:x nr:2 ds:UpToDate ro:Secondary/Primary cs:Connected"
    seen = collect(drbd.COLLECTOR, host, tmp_path)
    assert seen.values == {
        'node_drbd_network_received_bytes_total{device="drbd0"}': 2,
        'node_drbd_node_role_is_primary{device="drbd0",node="local"}': 0,
        'node_drbd_node_role_is_primary{device="drbd0",node="remote"}': 1,
        'node_drbd_connected{device="drbd0"}': 1,
    }
    assert "drbd: drbd0 ns: expected a number, got b'x'" in str(seen.error)
