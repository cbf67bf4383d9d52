from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from exporters.node.collectors import thermal_zone
from tests.node import golden
from tests.node.conftest import Run


@pytest.mark.parametrize(
    ("text", "millidegrees"), [("27800", 27800), ("-1", -1), ("", 0), ("hot", 0)]
)
def test_temperature(text: str, millidegrees: int) -> None:
    assert thermal_zone.temperature(text) == millidegrees


@given(st.text(max_size=30))
def test_temperature_never_raises(text: str) -> None:
    assert -(2**63) <= thermal_zone.temperature(text) < 2**63


def test_only_what_has_a_number(run: Run, tmp_path: Path) -> None:
    names = ("thermal_zone", "thermal_zonex", "cooling_device", "thermal_message")
    tree = "".join(f"sys/class/thermal/{name}/type: x\n" for name in names)
    assert run(thermal_zone.COLLECTOR, where=golden.planted(tree, tmp_path)) == []
