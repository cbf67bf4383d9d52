"""The filter that every collector of network devices obeys."""

from __future__ import annotations

from pathlib import Path

import pytest

from exporters.node.collectors import (
    arp,
    ethtool,
    netclass,
    netdev,
    network_route,
    qdisc,
    wifi,
)
from exporters.node.network import network_devices
from exporters.node.registry import CollectorSpec
from exporters.toolkit.errors import StartError
from exporters.toolkit.flags import Program
from tests.node.conftest import Run


COMMON = "--collector.network.device"


@pytest.mark.parametrize(
    ("argv", "own", "left"),
    [
        ((), ("", ""), {"lo", "eth0", "eth1", "veth0"}),
        ((f"{COMMON}-exclude=^veth",), ("", ""), {"lo", "eth0", "eth1"}),
        ((f"{COMMON}-include=^eth",), ("", ""), {"eth0", "eth1"}),
        (
            (f"{COMMON}-include=^eth", f"{COMMON}-exclude=1$"),
            ("", ""),
            {"eth0"},
        ),
        ((f"{COMMON}-exclude=^veth",), ("^lo$", ""), {"eth0", "eth1"}),
        ((f"{COMMON}-exclude=^veth",), ("", "0$"), {"eth0"}),
        ((f"{COMMON}-include=^eth",), ("", "^lo$"), set()),
    ],
)
def test_a_device_passes_both_filters(
    argv: tuple[str, ...], own: tuple[str, str], left: set[str]
) -> None:
    values = Program("x", "", network_devices.FLAGS).parse(argv, {})
    devices = network_devices.device_filter(values, *own)
    names = {"lo", "eth0", "eth1", "veth0"}
    assert {name for name in names if not devices.ignored(name)} == left


COLLECTORS = (arp, ethtool, netclass, netdev, network_route, qdisc, wifi)
SPECS = {module.COLLECTOR.name: module.COLLECTOR for module in COLLECTORS}


@pytest.mark.parametrize("name", SPECS)
def test_a_bad_pattern_ends_the_start(name: str, run: Run) -> None:
    with pytest.raises(StartError, match=r"missing closing \): `\(`"):
        run(SPECS[name], f"{COMMON}-exclude=(")


def devices(spec: CollectorSpec, run: Run, *argv: str) -> set[str]:
    return {sample.labels["device"] for f in run(spec, *argv) for sample in f.samples}


@pytest.mark.parametrize(
    ("spec", "argv", "left"),
    [
        (arp.COLLECTOR, ("--no-collector.arp.netlink",), {"eth0"}),
        (netdev.COLLECTOR, ("--no-collector.netdev.netlink",), {"eth0"}),
        (netclass.COLLECTOR, (), {"eth0"}),
    ],
)
def test_collectors_of_files_obey(
    spec: CollectorSpec, argv: tuple[str, ...], left: set[str], run: Run
) -> None:
    assert devices(spec, run, *argv) > left
    assert devices(spec, run, *argv, f"{COMMON}-include=^eth0$") == left


def test_devices_are_what_is_no_plain_file(tmp_path: Path) -> None:
    (tmp_path / "bonding_masters").write_text("bond0\n")
    (tmp_path / "bond0").mkdir()
    (tmp_path / "eth0").symlink_to("../../devices/eth0")
    assert list(network_devices.list_devices(str(tmp_path))) == ["bond0", "eth0"]
