"""Batteries and power supplies (node_exporter collector/powersupplyclass_linux.go).

The kernel's side is Documentation/ABI/testing/sysfs-class-power: microvolts,
microamperes and so on, and tenths of a degree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from exporters.node import procfs, sysfs
from exporters.node.attributes import Attributes, list_devices
from exporters.node.families import Families
from exporters.node.integers import signed
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.node.storage import mountinfo
from exporters.toolkit.flags import string
from exporters.toolkit.metric import Metric
from exporters.toolkit.regex import Regex


IGNORED_SUPPLIES = string(
    "collector.powersupply.ignored-supplies",
    "Regexp of power supplies to ignore for powersupplyclass collector.",
    default="^$",
)


def _named(*files: str, **renamed: str) -> Mapping[str, str]:
    """Return attribute -> family, where most have the same name."""
    return {file: file for file in files} | renamed


_NUMBERS: Mapping[float, Mapping[str, str]] = {
    1.0: _named(
        "authentic",
        "calibrate",
        "capacity",
        "capacity_alert_max",
        "capacity_alert_min",
        "online",
        "present",
        cycle_count="cyclecount",
        time_to_empty_now="time_to_empty_seconds",
        time_to_full_now="time_to_full_seconds",
    ),
    1e6: _named(
        "charge_control_limit",
        "charge_control_limit_max",
        "charge_counter",
        "charge_empty",
        "charge_empty_design",
        "charge_full",
        "charge_full_design",
        "charge_term_current",
        "constant_charge_current",
        "constant_charge_current_max",
        "constant_charge_voltage",
        "constant_charge_voltage_max",
        "current_boot",
        "current_max",
        "energy_empty",
        "energy_empty_design",
        "energy_full",
        "energy_full_design",
        "input_current_limit",
        "precharge_current",
        "voltage_boot",
        "voltage_max",
        "voltage_max_design",
        "voltage_min",
        "voltage_min_design",
        "voltage_ocv",
        charge_now="charge_ampere",
        current_now="current_ampere",
        energy_now="energy_watthour",
        power_now="power_watt",
        voltage_now="voltage_volt",
    ),
    10.0: _named(
        temp="temp_celsius",
        temp_alert_max="temp_alert_max_celsius",
        temp_alert_min="temp_alert_min_celsius",
        temp_ambient="temp_ambient_celsius",
        temp_ambient_max="temp_ambient_max_celsius",
        temp_ambient_min="temp_ambient_min_celsius",
        temp_max="temp_max_celsius",
        temp_min="temp_min_celsius",
    ),
}
_TEXTS = (
    "capacity_level",
    "charge_type",
    "health",
    "manufacturer",
    "model_name",
    "serial_number",
    "status",
    "technology",
    "type",
    "usb_type",
    "scope",
)


def create(context: Context) -> Collect:
    """Return the collector. Raises RegexError for a bad ignored-supplies."""
    root = context.paths.sys("class", "power_supply")
    ignored = Regex(context.values[IGNORED_SUPPLIES])

    def collect() -> Iterator[Metric]:
        attributes, families = Attributes(), Families()
        for supply in list_devices(root):
            if not ignored.search(supply):
                add_supply(families, attributes, supply, f"{root}/{supply}")
        yield from families
        attributes.raise_rejected()

    return collect


def add_supply(
    families: Families, attributes: Attributes, supply: str, path: str
) -> None:
    """Add *supply*, which has some of the attributes, unless it has gone by now."""
    listing = attributes.listing(path)
    if listing is None:
        return
    present = frozenset(listing)
    for divisor, names in _NUMBERS.items():
        for file in present & names.keys():
            value = attributes.value(f"{path}/{file}", signed)
            if value is not None:
                _add_number(families, names[file], value / divisor, supply)
    labels = {"power_supply": supply}
    for file in _TEXTS:
        if file in present and (text := read_text(f"{path}/{file}")):
            labels[file] = text
    families.gauge(
        "node_power_supply_info",
        "info of /sys/class/power_supply/<power_supply>.",
        1,
        labels,
    )


def _add_number(families: Families, name: str, value: float, supply: str) -> None:
    families.gauge(
        f"node_power_supply_{name}",
        f"{name} value of /sys/class/power_supply/<power_supply>.",
        value,
        {"power_supply": supply},
    )


def read_text(path: str) -> str:
    """Return the attribute at *path* for a label, empty where there is none.

    A run of bytes that are not UTF-8 becomes one U+FFFD (Go's strings.ToValidUTF8):
    serial numbers are what the firmware left there.
    """
    try:
        data = procfs.read(path)[: sysfs.ATTRIBUTE_SIZE_BYTES].strip()
    except OSError:
        return ""
    return mountinfo.label(mountinfo.path_text(data))


COLLECTOR = CollectorSpec("powersupplyclass", create, flags=(IGNORED_SUPPLIES,))
