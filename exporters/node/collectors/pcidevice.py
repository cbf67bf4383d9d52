"""PCI devices: what they are, links, power, SR-IOV.

Upstream is node_exporter collector/pcidevice_linux.go; the kernel's side is
Documentation/ABI/testing/sysfs-bus-pci.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from exporters.node.attributes import Attributes
from exporters.node.hardware import pci, pci_ids
from exporters.node.hardware.pci_ids import Names, PciIds
from exporters.node.registry import Collect, CollectorSpec, Context, NoData
from exporters.toolkit.flags import boolean, string
from exporters.toolkit.metric import GaugeMetricFamily, Metric


IDS_FILE = string(
    "collector.pcidevice.idsfile",
    "Path to pci.ids file to use for PCI device identification.",
)
NAMES = boolean(
    "collector.pcidevice.names",
    "Enable PCI device name resolution (requires pci.ids file).",
)

_LOCATION = ("segment", "bus", "device", "function")
_INFO = (
    *_LOCATION,
    *(f"parent_{part}" for part in _LOCATION),
    "class_id",
    "vendor_id",
    "device_id",
    "subsystem_vendor_id",
    "subsystem_device_id",
    "revision",
)
INFO_NAMES = (
    "vendor_name",
    "device_name",
    "subsystem_vendor_name",
    "subsystem_device_name",
    "class_name",
)
_NO_PARENT = ("*", "*", "*", "*")
_NO_NODE = -1
_POWER_STATES = ("D0", "D1", "D2", "D3hot", "D3cold", "unknown", "error")
# (file, family without "node_pcidevice_", HELP, value of a device without the file)
_NUMBERS = (
    (
        "max_link_speed",
        "max_link_transfers_per_second",
        "Value of maximum link's transfers per second (T/s)",
        -1.0,
    ),
    (
        "max_link_width",
        "max_link_width",
        "Value of maximum link's width (number of lanes)",
        -1.0,
    ),
    (
        "current_link_speed",
        "current_link_transfers_per_second",
        "Value of current link's transfers per second (T/s)",
        -1.0,
    ),
    (
        "current_link_width",
        "current_link_width",
        "Value of current link's width (number of lanes)",
        -1.0,
    ),
    (
        "d3cold_allowed",
        "d3cold_allowed",
        "Whether the PCIe device supports D3cold power state (0/1).",
        0.0,
    ),
    (
        "sriov_drivers_autoprobe",
        "sriov_drivers_autoprobe",
        "Whether SR-IOV drivers autoprobe is enabled for the device (0/1).",
        0.0,
    ),
    (
        "sriov_numvfs",
        "sriov_numvfs",
        "Number of Virtual Functions (VFs) currently enabled for SR-IOV.",
        0.0,
    ),
    (
        "sriov_totalvfs",
        "sriov_totalvfs",
        "Total number of Virtual Functions (VFs) supported by the device.",
        0.0,
    ),
    (
        "sriov_vf_total_msix",
        "sriov_vf_total_msix",
        "Total number of MSI-X vectors for Virtual Functions.",
        0.0,
    ),
)


def create(context: Context) -> Collect:
    """Return the collector; pci.ids is read here if names are wanted."""
    paths, values = context.paths, context.values
    names: Names | None = None
    if values[NAMES]:
        names = pci_ids.names_from(PciIds(pci_ids.read(paths, values[IDS_FILE])))
    path = paths.sys("bus", "pci", "devices")

    def collect() -> Iterator[Metric]:
        problems = Attributes()
        try:
            devices = pci.read_devices(path, problems)
        except FileNotFoundError as error:
            raise NoData(f"{path} does not exist: there is no PCI") from error
        yield info_family(devices, names)
        yield from number_families(devices)
        yield power_family(devices)
        problems.raise_rejected()

    return collect


def info_family(devices: Iterable[pci.Device], names: Names | None) -> Metric:
    """Return a 1 for each of *devices*, with *names* if they are wanted."""
    family = GaugeMetricFamily(
        "node_pcidevice_info",
        "Non-numeric data from /sys/bus/pci/devices/<location>, value is always 1.",
        labels=_INFO if names is None else (*_INFO, *INFO_NAMES),
    )
    for device in devices:
        ids = device.ids
        numbers = (
            f"0x{ids.class_:06x}",
            f"0x{ids.vendor:04x}",
            f"0x{ids.device:04x}",
            f"0x{ids.subsystem_vendor:04x}",
            f"0x{ids.subsystem_device:04x}",
            f"0x{ids.revision:02x}",
        )
        place = (*device.location, *(device.parent or _NO_PARENT))
        family.add_metric((*place, *numbers, *(names(ids) if names else ())), 1)
    return family


def number_families(devices: Sequence[pci.Device]) -> Iterator[Metric]:
    """Yield the families of numbers; the NUMA node only of who has one."""
    for file, name, help_, default in _NUMBERS:
        family = GaugeMetricFamily(f"node_pcidevice_{name}", help_, labels=_LOCATION)
        for device in devices:
            family.add_metric(device.location, device.numbers.get(file, default))
        yield family
    nodes = GaugeMetricFamily(
        "node_pcidevice_numa_node",
        "NUMA node number for the PCI device. -1 indicates unknown or not available.",
        labels=_LOCATION,
    )
    for device in devices:
        node = device.numbers.get("numa_node", _NO_NODE)
        if node != _NO_NODE:
            nodes.add_metric(device.location, node)
    yield nodes


def power_family(devices: Iterable[pci.Device]) -> Metric:
    """Return a 1 for the power state of each of *devices*, a 0 for the other states."""
    family = GaugeMetricFamily(
        "node_pcidevice_power_state",
        "PCIe device power state, one of: D0, D1, D2, D3hot, D3cold, unknown or error.",
        labels=(*_LOCATION, "state"),
    )
    for device in devices:
        if device.power_state:
            for state in _POWER_STATES:
                family.add_metric(
                    (*device.location, state), state == device.power_state
                )
    return family


COLLECTOR = CollectorSpec(
    "pcidevice", create, default_enabled=False, flags=(IDS_FILE, NAMES)
)
