from __future__ import annotations

import pytest

from exporters.node.hardware import hwmon, hwmon_units


P = "node_hwmon_"


@pytest.mark.parametrize(
    ("type_", "element", "name", "help_", "value_of_1000"),
    [
        ("in", "input", "in_volts", "Hardware monitor for voltage (input)", 1.0),
        ("in", "min_alarm", "in_min_alarm_volts", "", 1.0),
        ("cpu", "vid", "cpu_vid_volts", "Hardware monitor for voltage (vid)", 1.0),
        ("temp", "", "temp_celsius", "Hardware monitor for temperature (input)", 1.0),
        ("temp", "crit_alarm", "temp_crit_alarm_celsius", "", 1.0),
        ("temp", "type", "temp_type", "Hardware monitor temp element type", 1000.0),
        ("temp", "fault", "temp_fault", "Hardware sensor fault status (temp)", 1000.0),
        ("temp", "alarm", "temp_alarm", "Hardware sensor alarm status (temp)", 1000.0),
        ("curr", "lcrit", "curr_lcrit_amps", "", 1.0),
        ("energy", "input", "energy_joule_total", "", 0.001),
        ("power", "input", "power_watt", "", 0.001),
        ("power", "cap_max", "power_cap_max_watt", "", 0.001),
        ("power", "accuracy", "power_accuracy", "", 0.001),
        ("power", "average_interval", "power_average_interval_seconds", "", 1.0),
        (
            "power",
            "average_interval_min",
            "power_average_interval_min_seconds",
            "Hardware monitor power usage update interval (average_interval_min)",
            1.0,
        ),
        ("humidity", "input", "humidity", "", 0.001),
        ("fan", "input", "fan_rpm", "", 1000.0),
        ("fan", "div", "fan_div", "Hardware monitor fan element div", 1000.0),
        ("fan", "beep", "fan_beep_enabled", "", 1000.0),
        ("freq", "input", "freq_freq_mhz", "", 0.001),
        ("pwm", "", "pwm", "Hardware monitor pwm element ", 1000.0),
        ("pwm", "input", "pwm", "Hardware monitor pwm element input", 1000.0),
        ("intrusion", "alarm", "intrusion_alarm", "", 1000.0),
        ("in", "Odd-One", "in_odd_one_volts", "", 1.0),
        ("in", "{}", "in__volts", "Hardware monitor for voltage ({})", 1.0),
    ],
)
def test_describe(
    type_: str, element: str, name: str, help_: str, value_of_1000: float
) -> None:
    meaning = hwmon_units.describe(type_, element, has_bare=False)
    assert meaning.name == P + name
    assert help_ in meaning.help
    assert 1000 * meaning.factor / meaning.divisor == value_of_1000
    assert meaning.is_counter == (type_ == "energy")


def test_input_is_named_beside_a_file_without_element() -> None:
    described = hwmon_units.describe("pwm", "input", has_bare=True)
    assert described.name == "node_hwmon_pwm_input"
    described = hwmon_units.describe("in", "input", has_bare=True)
    assert described.name == "node_hwmon_in_input_volts"


def test_every_type_has_a_family() -> None:
    for type_ in hwmon.TYPES:
        chips = hwmon_units.OF_CHIP.get(type_)
        described = chips or hwmon_units.describe(type_, "x", has_bare=False)
        assert described.name.startswith(P)
        assert described.help.startswith("Hardware ")
