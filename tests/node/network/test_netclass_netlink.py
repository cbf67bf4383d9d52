from __future__ import annotations

from pathlib import Path

import pytest

from exporters.node.collectors import netclass
from exporters.node.network import interfaces, link_modes, rtnetlink
from exporters.node.network.interfaces import Interface
from exporters.node.network.link_modes import LinkMode
from exporters.node.paths import Paths
from exporters.toolkit.metric import Metric
from tests.node.conftest import Run


NETLINK = "--collector.netclass.netlink"
NUMBERS = {"mtu_bytes": 1500, "dormant": 0, "carrier_changes_total": 4}
UPLINK = Interface(
    "eth0",
    "02:00:00:00:00:01",
    "ff:ff:ff:ff:ff:ff",
    "to core",
    ("enp9s0",),
    "up",
    NUMBERS,
    tuple(range(1, 25)),
)
BARE = Interface("veth0", "", "", "", (), "down", {"mtu_bytes": 1400}, None)


@pytest.fixture(autouse=True)
def kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    modes = [LinkMode("eth0", 1000, "Full"), LinkMode("veth0", -1, "Unknown")]
    monkeypatch.setattr(interfaces, "read_interfaces", lambda: [UPLINK, BARE])
    monkeypatch.setattr(link_modes, "read_link_modes", lambda: modes)


@pytest.fixture
def host(tmp_path: Path) -> Paths:
    folder = tmp_path / "class/net/eth0"
    folder.mkdir(parents=True)
    (folder / "addr_assign_type").write_text("3\n")
    (folder / "dev_id").write_text("0x20\n")
    (folder / "mtu").write_text("9\n")  # which netlink knows better
    return Paths(sysfs=str(tmp_path))


def values(families: list[Metric]) -> dict[str, dict[str, float]]:
    return {f.name: {s.labels["device"]: s.value for s in f.samples} for f in families}


def test_every_family(run: Run, host: Paths) -> None:
    families = run(netclass.COLLECTOR, NETLINK, where=host)
    assert values(families) == {
        "node_network_up": {"eth0": 1, "veth0": 0},
        "node_network_info": {"eth0": 1, "veth0": 1},
        "node_network_altnames_info": {"eth0": 1},
        "node_network_mtu_bytes": {"eth0": 1500, "veth0": 1400},
        "node_network_dormant": {"eth0": 0},
        "node_network_carrier_changes_total": {"eth0": 4},
        "node_network_speed_bytes": {"eth0": 125_000_000, "veth0": -125_000},
        "node_network_address_assign_type": {"eth0": 3},
        "node_network_device_id": {"eth0": 32},
    }
    by_name = {f.name: f for f in families}
    changes = by_name["node_network_carrier_changes_total"]
    assert (changes.type, changes.documentation) == (
        "counter",
        "Network device property: carrier_changes_total",
    )
    assert by_name["node_network_altnames_info"].samples[0].labels == {
        "altname": "enp9s0",
        "device": "eth0",
    }
    info = by_name["node_network_info"]
    assert info.documentation == "Non-numeric data of <iface>, value is always 1."
    assert info.samples[0].labels == {
        "device": "eth0",
        "address": "02:00:00:00:00:01",
        "broadcast": "ff:ff:ff:ff:ff:ff",
        "duplex": "Full",
        "operstate": "up",
        "ifalias": "to core",
    }


def test_an_unknown_speed_can_be_left_out(run: Run, host: Paths) -> None:
    flag = "--collector.netclass.ignore-invalid-speed"
    found = values(run(netclass.COLLECTOR, NETLINK, flag, where=host))
    assert found["node_network_speed_bytes"] == {"eth0": 125_000_000}


@pytest.mark.parametrize(
    "flag",
    ["--collector.netclass.ignored-devices=^e", "--collector.network.device-include=v"],
)
def test_ignored_devices(flag: str, run: Run, host: Paths) -> None:
    found = values(run(netclass.COLLECTOR, NETLINK, flag, where=host))
    assert set(found["node_network_up"]) == {"veth0"}


def test_no_ethtool_over_netlink_costs_speed_and_duplex(
    run: Run, host: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_link_modes() -> list[LinkMode]:
        raise FileNotFoundError

    monkeypatch.setattr(link_modes, "read_link_modes", read_link_modes)
    families = {f.name: f for f in run(netclass.COLLECTOR, NETLINK, where=host)}
    assert "node_network_speed_bytes" not in families
    info = families["node_network_info"].samples
    assert {sample.labels["duplex"] for sample in info} == {""}


def test_statistics_are_there_when_asked_for(run: Run, host: Paths) -> None:
    flag = "--collector.netclass_rtnl.with-stats"
    before = {f.name for f in run(netclass.COLLECTOR, NETLINK, where=host)}
    families = run(netclass.COLLECTOR, NETLINK, flag, where=host)
    new = [f for f in families if f.name not in before]
    assert [f.name for f in new] == [
        f"node_network_{field}_total" for field in rtnetlink.STATS_FIELDS
    ]
    assert [f.samples[0].value for f in new] == list(range(1, 25))
    assert {f.type for f in new} == {"gauge"}  # as upstream
    assert new[0].documentation == "Network device property: receive_packets_total"
    assert {s.labels["device"] for f in new for s in f.samples} == {"eth0"}
