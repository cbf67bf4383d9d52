"""Temperatures, voltages, fans, power (node_exporter collector/hwmon_linux.go).

The kernel's side is Documentation/hwmon/sysfs-interface.rst.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from exporters.node.device_filter import DeviceFilter
from exporters.node.families import Families
from exporters.node.hardware import hwmon, hwmon_units
from exporters.node.registry import Collect, CollectorSpec, Context, NoData
from exporters.toolkit import gotext
from exporters.toolkit.flags import string
from exporters.toolkit.metric import Metric


CHIP_INCLUDE = string(
    "collector.hwmon.chip-include",
    "Regexp of hwmon chip to include (mutually exclusive to device-exclude).",
)
CHIP_EXCLUDE = string(
    "collector.hwmon.chip-exclude",
    "Regexp of hwmon chip to exclude (mutually exclusive to device-include).",
)
SENSOR_INCLUDE = string(
    "collector.hwmon.sensor-include",
    "Regexp of hwmon sensor to include (mutually exclusive to sensor-exclude).",
)
SENSOR_EXCLUDE = string(
    "collector.hwmon.sensor-exclude",
    "Regexp of hwmon sensor to exclude (mutually exclusive to sensor-include).",
)

Labels = dict[str, str]


def create(context: Context) -> Collect:
    """Return the collector. Raises RegexError for a bad include or exclude pattern."""
    values = context.values
    chips = DeviceFilter.compile(values[CHIP_EXCLUDE], values[CHIP_INCLUDE])
    sensors = DeviceFilter.compile(values[SENSOR_EXCLUDE], values[SENSOR_INCLUDE])
    path = context.paths.sys("class", "hwmon")

    def collect() -> Iterator[Metric]:
        try:
            found = hwmon.list_chips(path)
        except FileNotFoundError as error:
            raise NoData(f"{path} does not exist: no sensor has a driver") from error
        families = Families()
        failure: OSError | None = None
        for chip, name in zip(found, hwmon.chip_labels(found), strict=True):
            if chips.ignored(name):  # nor read: that may wake a disk
                continue
            try:
                _add_chip(families, chip, name, sensors)
            except OSError as error:
                failure = error
        yield from families
        if failure is not None:
            raise failure

    return collect


def _add_chip(
    families: Families, chip: hwmon.Chip, name: str, wanted: DeviceFilter
) -> None:
    sensors = hwmon.read_sensors(chip.path)
    readable = hwmon.clean_name(chip.name or "")
    if readable:
        families.gauge(
            "node_hwmon_chip_names",
            "Annotation metric for human-readable chip names",
            1,
            {"chip": name, "chip_name": readable},
        )
    for sensor, (type_, values) in sensors.items():
        if not wanted.ignored(f"{name};{sensor}"):
            add_sensor(families, {"chip": name, "sensor": sensor}, type_, values)


def add_sensor(
    families: Families, labels: Labels, type_: str, values: Mapping[str, str]
) -> None:
    """Add what a sensor of *type_* has, *values* by element.

    What is not a number has no sample.
    """
    if "label" in values:
        families.gauge(
            "node_hwmon_sensor_label",
            "Label for given chip and sensor",
            1,
            {**labels, "label": values["label"]},
        )
    if type_ in hwmon_units.OF_CHIP:
        _add_value_of_chip(families, labels, type_, values.get("", ""))
        return
    for element, text in values.items():
        if element == "label":
            continue
        meaning = hwmon_units.describe(type_, element, has_bare="" in values)
        if type_ != "freq" or element != "input":
            _add_value(families, labels, meaning, text)
        elif "label" in values:  # a GPU's clock goes by its name
            named = {**labels, "sensor": hwmon.clean_name(values["label"])}
            _add_value(families, named, meaning, text)


def _add_value_of_chip(
    families: Families, labels: Labels, type_: str, text: str
) -> None:
    if type_ == "beep_enable":
        text = "1" if text == "1" else "0"
    _add_value(families, labels, hwmon_units.OF_CHIP[type_], text)


def _add_value(
    families: Families, labels: Labels, meaning: hwmon_units.Meaning, text: str
) -> None:
    try:
        value = gotext.parse_float(text) * meaning.factor / meaning.divisor
    except ValueError:
        return
    add = families.counter if meaning.is_counter else families.gauge
    add(meaning.name, meaning.help, value, labels)


COLLECTOR = CollectorSpec(
    "hwmon",
    create,
    flags=(CHIP_INCLUDE, CHIP_EXCLUDE, SENSOR_INCLUDE, SENSOR_EXCLUDE),
)
