"""InfiniBand and RoCE devices (node_exporter collector/infiniband_linux.go).

The kernel's side is Documentation/ABI/stable/sysfs-class-infiniband.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterator, Mapping

from exporters.node import procfs
from exporters.node.attributes import Attributes, list_devices
from exporters.node.device_filter import DeviceFilter, log_pattern
from exporters.node.gauges import Gauges
from exporters.node.hardware.infiniband import BY_LANE, COUNTERS, COUNTERS_EXT, LANES
from exporters.node.hardware.infiniband_hw import HW_COUNTERS
from exporters.node.integers import UINT64_MAX, decimal, unsigned
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.flags import string
from exporters.toolkit.metric import Metric


DEVICE_INCLUDE = string(
    "collector.infiniband.device-include",
    "Regexp of infiniband devices to include (mutually exclusive to device-exclude).",
)
DEVICE_EXCLUDE = string(
    "collector.infiniband.device-exclude",
    "Regexp of infiniband devices to exclude (mutually exclusive to device-include).",
)

_INFO = {  # label -> attribute; none is every driver's
    "board_id": "board_id",
    "firmware_version": "fw_ver",
    "hca_type": "hca_type",
}
_HELP = {
    "info": "Non-numeric data from /sys/class/infiniband/<device>, value is always 1.",
    "state_id": (
        "State of the InfiniBand port"
        " (0: no change, 1: down, 2: init, 3: armed, 4: active, 5: act defer)"
    ),
    "physical_state_id": (
        "Physical state of the InfiniBand port (0: no change, 1: sleep, 2: polling,"
        " 3: disable, 4: shift, 5: link up, 6: link error recover, 7: phytest)"
    ),
    "rate_bytes_per_second": "Maximum signal transfer rate",
    "lifespan_seconds": (
        "The maximum period in ms which defines the aging of the counter reads."
        " Two consecutive reads within this period might return the same values."
    ),
}
_DIRECTORIES = {
    "counters": COUNTERS,
    "counters_ext": COUNTERS_EXT,
    "hw_counters": HW_COUNTERS,
}
_STATE = re.compile(r"([0-9]+)\s*:[^:]*")
_BYTES_PER_GIGABIT = 125000000
_NOT_COUNTED = "N/A (no PMA)"  # node_exporter#966


def create(context: Context) -> Collect:
    """Return the collector. Raises RegexError for a bad filter."""
    root = context.paths.sys("class", "infiniband")
    include, exclude = context.values[DEVICE_INCLUDE], context.values[DEVICE_EXCLUDE]
    log_pattern(DEVICE_INCLUDE, include)
    log_pattern(DEVICE_EXCLUDE, exclude)
    devices = DeviceFilter.compile(exclude, include)

    def collect() -> Iterator[Metric]:
        attributes, gauges = Attributes(), Gauges("node_infiniband_", _HELP)
        for device in list_devices(root):
            if not devices.ignored(device):
                add_device(gauges, attributes, device, f"{root}/{device}")
        yield from gauges
        attributes.raise_rejected()

    return collect


def add_device(gauges: Gauges, attributes: Attributes, device: str, path: str) -> None:
    """Add *device* and its ports, unless it has gone by now."""
    if attributes.listing(path) is None:
        return
    info = {label: attributes.label(f"{path}/{file}") for label, file in _INFO.items()}
    gauges.add("info", 1, {"device": device, **info})
    for port in attributes.names(f"{path}/ports"):
        try:
            labels = {"device": device, "port": str(decimal(port))}
        except ValueError as error:
            attributes.reject(f"{path}/ports: {error}")
            continue
        _add_port(gauges, attributes, f"{path}/ports/{port}", labels)


def _add_port(
    gauges: Gauges, attributes: Attributes, path: str, labels: Mapping[str, str]
) -> None:
    for file, name, parse in (
        ("state", "state_id", parse_state),
        ("phys_state", "physical_state_id", parse_state),
        ("rate", "rate_bytes_per_second", parse_rate),
        ("hw_counters/lifespan", "lifespan_seconds", parse_lifespan),
    ):
        gauges.add(name, attributes.value(f"{path}/{file}", parse), labels)
    for directory, counters in _DIRECTORIES.items():
        for file in attributes.names(f"{path}/{directory}"):
            if file not in counters:
                continue
            name, text = counters[file]
            value = attributes.value(f"{path}/{directory}/{file}", parse_count)
            if value is not None:
                value = value * (LANES if file in BY_LANE else 1) & UINT64_MAX
                gauges.counter(f"node_infiniband_{name}", text, value, labels)


def parse_count(text: str) -> int | None:
    """Return the count in *text*, None where the port has none. Raises ValueError."""
    return None if _NOT_COUNTED in text else unsigned(text)


def parse_lifespan(text: str) -> int | None:
    """Return the whole seconds of the milliseconds *text*. Raises ValueError."""
    milliseconds = parse_count(text)
    return None if milliseconds is None else milliseconds // 1000


def parse_state(text: str) -> int:
    """Return the number in ``4: ACTIVE``. Raises ValueError."""
    found = _STATE.fullmatch(text)
    number = decimal(found[1]) if found else 2**32
    if number >= 2**32:
        raise ValueError(f"expected 'NUMBER: NAME', got {text!r}")
    return number


def parse_rate(text: str) -> int:
    """Return the bytes a second of ``2.5 Gb/sec (1X SDR)``. Raises ValueError."""
    number, blank, _ = text.partition(" ")
    gigabits = _float32(number) if blank else math.nan
    if not 0 <= gigabits < math.inf:
        raise ValueError(f"expected 'NUMBER Gb/sec (...)', got {text!r}")
    return int(gigabits * _BYTES_PER_GIGABIT)


def _float32(text: str) -> float:
    """Return *text* as Go's ParseFloat(text, 32) does, NaN where it is no number."""
    try:
        (number,) = struct.unpack(
            "f", struct.pack("f", procfs.parse_number(text.encode()))
        )
    except (ValueError, OverflowError):
        return math.nan
    return float(number)


COLLECTOR = CollectorSpec("infiniband", create, flags=(DEVICE_INCLUDE, DEVICE_EXCLUDE))
