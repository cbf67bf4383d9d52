"""Temperatures and cooling devices (node_exporter collector/thermal_zone_linux.go).

The kernel's side is Documentation/driver-api/thermal/sysfs-api.rst: millidegrees.
"""

from __future__ import annotations

from collections.abc import Iterator

from exporters.node.attributes import Attributes
from exporters.node.gauges import Gauges
from exporters.node.integers import signed_decimal
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.metric import Metric


_HELP = {
    "thermal_zone_temp": "Zone temperature in Celsius",
    "cooling_device_cur_state": "Current throttle state of the cooling device",
    "cooling_device_max_state": "Maximum throttle state of the cooling device",
}
_ZONE = "thermal_zone"
_DEVICE = "cooling_device"
_MILLIDEGREES_PER_DEGREE = 1000.0


def create(context: Context) -> Collect:
    """Return the collector of ``/sys/class/thermal``."""
    root = context.paths.sys("class", "thermal")

    def collect() -> Iterator[Metric]:
        attributes, gauges = Attributes(), Gauges("node_", _HELP)
        for name in attributes.names(root):
            if _is_numbered(name, _ZONE):
                add_zone(gauges, attributes, f"{root}/{name}", name)
            elif _is_numbered(name, _DEVICE):
                add_device(gauges, attributes, f"{root}/{name}", name)
        yield from gauges
        attributes.raise_rejected()

    return collect


def _is_numbered(name: str, kind: str) -> bool:
    return name.startswith(kind) and "0" <= name[len(kind) : len(kind) + 1] <= "9"


def add_zone(gauges: Gauges, attributes: Attributes, path: str, name: str) -> None:
    """Add a zone. 0 degrees and no type is what upstream says of one that is off."""
    millidegrees = temperature(attributes.label(f"{path}/temp"))
    type_ = attributes.label(f"{path}/type")
    labels = {"zone": name.removeprefix(_ZONE), "type": type_}
    gauges.add("thermal_zone_temp", millidegrees / _MILLIDEGREES_PER_DEGREE, labels)


def temperature(text: str) -> int:
    """Return the millidegrees of *text*, 0 where it is no number."""
    try:
        return signed_decimal(text)
    except ValueError:
        return 0


def add_device(gauges: Gauges, attributes: Attributes, path: str, name: str) -> None:
    """Add a cooling device, if the kernel gives all of it."""
    type_ = attributes.text(f"{path}/type")
    maximum = attributes.value(f"{path}/max_state", signed_decimal)
    # May be -1, as intel_powerclamp's.
    current = attributes.value(f"{path}/cur_state", signed_decimal)
    if type_ is None or maximum is None or current is None:
        return
    labels = {"name": name.removeprefix(_DEVICE), "type": type_}
    gauges.add("cooling_device_cur_state", current, labels)
    gauges.add("cooling_device_max_state", maximum, labels)


COLLECTOR = CollectorSpec("thermal_zone", create)
