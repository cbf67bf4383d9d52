from __future__ import annotations

import pytest

from benchmarks.units import NAMED, Unit, count, mebibytes, milliseconds, times


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [
        (milliseconds, 0.01234, "12.34 ms"),
        (mebibytes, 3 * 2**19, "1.50 MiB"),
        (count, 1234567.0, "1,234,567"),
        (times, 1.049, "1.05 x"),
    ],
)
def test_text(unit: Unit, value: float, text: str) -> None:
    assert unit(value) == text


def test_each_has_a_name_of_its_own() -> None:
    assert NAMED["ms"] is milliseconds
    assert NAMED[""] is count
    assert all(name == unit.name for name, unit in NAMED.items())
