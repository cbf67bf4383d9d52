"""What hwmon sensors are called and in which unit (collector/hwmon_linux.go).

The kernel has millivolts, milliamperes, thousandths of a degree and of a second,
microwatts and microjoules (Documentation/hwmon/sysfs-interface.rst).
"""

from __future__ import annotations

import functools
from typing import NamedTuple

from exporters.node.hardware.hwmon import clean_name


class Unit(NamedTuple):
    """What is put after a name, the HELP, and how the kernel's number is converted.

    Both a factor and a divisor, as upstream: x * 0.001 is another float than x / 1000.
    """

    suffix: str
    help: str
    factor: float = 1.0
    divisor: float = 1.0


class Meaning(NamedTuple):
    """The family of a value, and how the kernel's number is converted."""

    name: str
    help: str
    factor: float = 1.0
    divisor: float = 1.0
    is_counter: bool = False


_VOLTS = Unit("_volts", "Hardware monitor for voltage ({})", factor=0.001)
_RPM = Unit("_rpm", "Hardware monitor for fan revolutions per minute ({})")
_INTERVAL = Unit(
    "_seconds", "Hardware monitor power usage update interval ({})", factor=0.001
)
# By (type, element); they come before those by type.
_OF_ELEMENT = {
    ("power", "accuracy"): Unit(
        "", "Hardware monitor power meter accuracy, as a ratio", divisor=1e6
    ),
    ("power", "average_interval"): _INTERVAL,
    ("power", "average_interval_min"): _INTERVAL,
    ("power", "average_interval_max"): _INTERVAL,
    ("fan", "input"): _RPM,
    ("fan", "min"): _RPM,
    ("fan", "max"): _RPM,
    ("fan", "target"): _RPM,
    ("freq", "input"): Unit(
        "_freq_mhz", "Hardware monitor for GPU frequency in MHz", divisor=1e6
    ),
    ("temp", "type"): Unit("", "Hardware monitor temp element {}"),
}
_OF_TYPE = {
    "in": _VOLTS,
    "cpu": _VOLTS,
    "temp": Unit("_celsius", "Hardware monitor for temperature ({})", factor=0.001),
    "curr": Unit("_amps", "Hardware monitor for current ({})", factor=0.001),
    "energy": Unit(
        "_joule_total", "Hardware monitor for joules used so far ({})", divisor=1e6
    ),
    "power": Unit(
        "_watt", "Hardware monitor for power usage in watts ({})", divisor=1e6
    ),
    "humidity": Unit(
        "",
        "Hardware monitor for humidity, as a ratio"
        " (multiply with 100.0 to get the humidity as a percentage) ({})",
        divisor=1e6,
    ),
}
OF_CHIP = {
    "beep_enable": Meaning("node_hwmon_beep_enabled", "Hardware beep enabled"),
    "vrm": Meaning(
        "node_hwmon_voltage_regulator_version", "Hardware voltage regulator"
    ),
    "update_interval": Meaning(
        "node_hwmon_update_interval_seconds",
        "Hardware monitor update interval",
        factor=0.001,
    ),
}
"""Types that are one value of the chip, in a file without number and element."""


@functools.lru_cache(maxsize=4096)  # the same sensors at every scrape
def describe(type_: str, element: str, *, has_bare: bool) -> Meaning:
    """Return what *element* of a sensor means.

    *has_bare* tells that the sensor has a file without element, too, such as pwm1
    beside pwm1_input: else "input" is the value itself and not named.
    """
    name = f"node_hwmon_{type_}"
    if element == "input":
        name += "_input" if has_bare else ""
    elif element:
        name += f"_{clean_name(element)}"
    if element in {"fault", "alarm"}:
        return Meaning(name, f"Hardware sensor {element} status ({type_})")
    if element == "beep":
        enabled = "Hardware monitor sensor has beeping enabled"
        return Meaning(f"{name}_enabled", enabled)
    unit = _OF_ELEMENT.get((type_, element)) or _OF_TYPE.get(type_)
    if unit is None:
        return Meaning(name, f"Hardware monitor {type_} element {element}")
    shown = "input" if type_ == "temp" and not element else element
    help_ = unit.help.format(shown)
    is_counter = type_ == "energy"
    return Meaning(name + unit.suffix, help_, unit.factor, unit.divisor, is_counter)
