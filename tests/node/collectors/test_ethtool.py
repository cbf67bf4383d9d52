from __future__ import annotations

import errno
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from exporters.node import deadline
from exporters.node.collectors import ethtool
from exporters.node.network import ethtool as kernel_side
from exporters.node.network.ethtool import Driver, Settings
from exporters.node.paths import Paths
from exporters.node.registry import NoData
from exporters.toolkit.metric import Metric
from tests.node.conftest import Run


class Kernel:
    """Three devices: one tells everything, one nothing, one breaks."""

    def _refuse(self, device: str) -> None:
        if device == "gone0":
            raise OSError(errno.ENODEV, "No such device")
        if device == "broken0":
            raise OSError(errno.EIO, "Input/output error")

    def settings(self, device: str) -> Settings:
        self._refuse(device)
        if device == "lo":
            raise OSError(errno.EOPNOTSUPP, "Operation not supported")
        return Settings(0x20, 0, 1)

    def driver(self, device: str) -> Driver:
        self._refuse(device)
        return Driver("virtio", "1.0", "fw", "virtio0", "rom", 2)

    def statistics(self, device: str) -> Mapping[str, int]:
        self._refuse(device)
        return {"rx_bytes": 2**63, "rx drops": 7}


@pytest.fixture(autouse=True)
def kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def opened() -> Iterator[Kernel]:
        yield Kernel()

    monkeypatch.setattr(kernel_side.Ethtool, "open", opened)


def host(tmp_path: Path, *names: str) -> Paths:
    for name in names:
        (tmp_path / "class/net" / name).mkdir(parents=True)
    return Paths(sysfs=str(tmp_path))


def values(families: list[Metric]) -> dict[str, dict[str, float]]:
    return {f.name: {s.labels["device"]: s.value for s in f.samples} for f in families}


def test_every_part(run: Run, tmp_path: Path) -> None:
    families = run(ethtool.COLLECTOR, where=host(tmp_path, "eth0"))
    found = values(families)
    assert found["node_network_supported_speed_bytes"] == {"eth0": 125_000_000}
    assert found["node_network_autonegotiate"] == {"eth0": 1}
    assert found["node_ethtool_received_bytes_total"] == {"eth0": 2**63}
    by_name = {f.name: f for f in families}
    drops = by_name["node_ethtool_received_drops"]
    assert (drops.type, drops.documentation) == (
        "unknown",
        "Network interface rx_drops",
    )
    assert by_name["node_ethtool_info"].samples[0].labels == {
        "bus_info": "virtio0",
        "device": "eth0",
        "driver": "virtio",
        "expansion_rom_version": "rom",
        "firmware_version": "fw",
        "version": "1.0",
    }


def test_a_device_tells_what_it_can(
    run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    where = host(tmp_path, "broken0", "eth0", "gone0", "lo")
    found = values(run(ethtool.COLLECTOR, where=where))
    assert set(found["node_ethtool_info"]) == {"eth0", "lo"}
    assert set(found["node_network_autonegotiate"]) == {"eth0"}
    levels = [
        (r.levelname, getattr(r, "fields", {}).get("device")) for r in caplog.records
    ]
    assert levels.count(("ERROR", "broken0")) == 3
    assert levels.count(("DEBUG", "gone0")) == 3
    assert levels.count(("DEBUG", "lo")) == 1


@pytest.mark.parametrize(
    ("flags", "left"),
    [
        (("--collector.ethtool.device-include=^e",), {"eth0", "eth1"}),
        (("--collector.ethtool.device-exclude=^e",), {"lo"}),
        (
            (
                "--collector.ethtool.device-include=^e",
                "--collector.ethtool.device-exclude=1",
            ),
            {"eth0"},
        ),
        (("--collector.network.device-exclude=0$",), {"eth1", "lo"}),
    ],
)
def test_filters(
    flags: tuple[str, ...], left: set[str], run: Run, tmp_path: Path
) -> None:
    where = host(tmp_path, "eth0", "eth1", "lo")
    found = values(run(ethtool.COLLECTOR, *flags, where=where))
    assert set(found["node_ethtool_info"]) == left


def test_statistics_can_be_chosen(run: Run, tmp_path: Path) -> None:
    flag = "--collector.ethtool.metrics-include=drops$"
    found = values(run(ethtool.COLLECTOR, flag, where=host(tmp_path, "eth0")))
    assert "node_ethtool_received_drops" in found
    assert "node_ethtool_received_bytes_total" not in found


def test_no_sysfs_is_no_data(run: Run, tmp_path: Path) -> None:
    with pytest.raises(NoData):
        run(ethtool.COLLECTOR, where=host(tmp_path))


def test_no_device_is_an_error(run: Run, tmp_path: Path) -> None:
    (tmp_path / "class/net").mkdir(parents=True)
    with pytest.raises(ValueError, match="no network devices found"):
        run(ethtool.COLLECTOR, where=host(tmp_path))


def test_it_ends_when_nobody_waits(run: Run, tmp_path: Path) -> None:
    where = host(tmp_path, "eth0")
    with deadline.within(0), pytest.raises(TimeoutError, match="no time left at eth0"):
        run(ethtool.COLLECTOR, where=where)
