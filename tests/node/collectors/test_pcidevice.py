from __future__ import annotations

from pathlib import Path

import pytest

from exporters.node.collectors import pcidevice
from exporters.node.paths import Paths
from exporters.node.registry import NoData
from tests.node.conftest import Run


def test_no_bus_is_no_data(run: Run, tmp_path: Path) -> None:
    with pytest.raises(NoData, match="there is no PCI"):
        run(pcidevice.COLLECTOR, where=Paths(sysfs=str(tmp_path)))


def test_without_a_list_names_are_ids(run: Run, tmp_path: Path) -> None:
    device = tmp_path / "devices/pci0000:00/0000:00:02.0"
    device.mkdir(parents=True)
    for file in ("class", "vendor", "device", "subsystem_vendor", "subsystem_device"):
        (device / file).write_text("0x12\n")
    (device / "revision").write_text("0x1\n")
    bus = tmp_path / "bus/pci/devices"
    bus.mkdir(parents=True)
    (bus / device.name).symlink_to(f"../../../devices/pci0000:00/{device.name}")
    flags = ("--collector.pcidevice.names", "--collector.pcidevice.idsfile=/nowhere")
    info = run(pcidevice.COLLECTOR, *flags, where=Paths(sysfs=str(tmp_path)))[0]
    labels = info.samples[0].labels
    assert labels["vendor_id"] == "0x0012"
    assert {label: labels[label] for label in pcidevice.INFO_NAMES} == {
        "vendor_name": "0012",
        "device_name": "0012",
        "subsystem_vendor_name": "0012",
        "subsystem_device_name": "0012",
        "class_name": "Unknown class (000012)",
    }
