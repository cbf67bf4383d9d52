from __future__ import annotations

import os
from pathlib import Path

import pytest

from exporters.node.collectors import netclass
from exporters.node.paths import Paths
from exporters.node.registry import NoData
from exporters.toolkit.metric import Metric
from tests.node.conftest import Run


def values(families: list[Metric]) -> dict[str, dict[str, float]]:
    return {
        f.samples[0].name: {s.labels["device"]: s.value for s in f.samples}
        for f in families
    }


def test_every_family(run: Run) -> None:
    families = run(netclass.COLLECTOR)
    assert values(families) == {
        "node_network_up": {"eth0": 1, "lo": 0, "wlan0": 0},
        "node_network_info": {"eth0": 1, "lo": 1, "wlan0": 1},
        "node_network_address_assign_type": {"eth0": 3},
        "node_network_carrier": {"eth0": 1, "wlan0": 0},  # not a number is 0
        "node_network_carrier_changes_total": {"eth0": 4},
        "node_network_carrier_up_changes_total": {"eth0": 2},
        "node_network_carrier_down_changes_total": {"eth0": 2},
        "node_network_device_id": {"eth0": 32},
        "node_network_dormant": {"eth0": 0},
        "node_network_flags": {"eth0": 0x1003, "lo": 8},
        "node_network_iface_id": {"eth0": 2, "lo": 1},
        "node_network_iface_link": {"eth0": 2},
        "node_network_iface_link_mode": {"eth0": 0},
        "node_network_mtu_bytes": {"eth0": 1500, "lo": 65536},
        "node_network_name_assign_type": {"eth0": 4},
        "node_network_net_dev_group": {"eth0": 0},
        "node_network_speed_bytes": {"eth0": 125_000_000, "wlan0": -125_000},
        "node_network_transmit_queue_length": {"eth0": 1000},
        "node_network_protocol_type": {"eth0": 1},
    }
    by_name = {f.samples[0].name: f for f in families}
    changes = by_name["node_network_carrier_changes_total"]
    assert (changes.type, changes.documentation) == (
        "counter",
        "Network device property: carrier_changes_total",
    )
    info = by_name["node_network_info"].samples
    assert [s.labels["adminstate"] for s in info] == ["up", "down", "unknown"]
    assert info[0].labels == {
        "device": "eth0",
        "address": "02:00:00:00:00:01",
        "broadcast": "ff:ff:ff:ff:ff:ff",
        "duplex": "full",
        "operstate": "up",
        "adminstate": "up",
        "ifalias": "uplink to core",
    }


def test_an_unknown_speed_can_be_left_out(run: Run) -> None:
    flag = "--collector.netclass.ignore-invalid-speed"
    found = values(run(netclass.COLLECTOR, flag))
    assert found["node_network_speed_bytes"] == {"eth0": 125_000_000}


def test_ignored_devices(run: Run) -> None:
    found = values(run(netclass.COLLECTOR, "--collector.netclass.ignored-devices=0$"))
    assert set(found["node_network_up"]) == {"lo"}


def test_no_sysfs_is_no_data(run: Run, tmp_path: Path) -> None:
    with pytest.raises(NoData):
        run(netclass.COLLECTOR, where=Paths(sysfs=str(tmp_path)))


def test_an_interface_that_goes_away_costs_only_itself(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def list_devices(_: str) -> dict[str, int]:
        return {"eth0": 1, "veth0": 2}

    monkeypatch.setattr(netclass, "list_devices", list_devices)
    assert values(run(netclass.COLLECTOR))["node_network_up"] == {"eth0": 1}


def test_no_descriptor_is_left_open(run: Run) -> None:
    run(netclass.COLLECTOR)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        run(netclass.COLLECTOR)
    assert len(os.listdir("/proc/self/fd")) == before
