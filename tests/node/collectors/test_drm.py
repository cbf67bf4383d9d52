from __future__ import annotations

from pathlib import Path

import pytest

from exporters.node.collectors import drm
from exporters.node.paths import Paths
from tests.node import tree
from tests.node.conftest import Run


def numbers(run: Run, tmp_path: Path) -> dict[str, dict[str, float]]:
    families = run(drm.COLLECTOR, where=Paths(sysfs=str(tmp_path)))
    return {
        family.name.removeprefix("node_drm_"): {
            s.labels["card"]: s.value for s in family.samples
        }
        for family in families
        if family.samples
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [("37", 37), ("0x10", 16), ("much", 0), ("", 0), ("denied", 0)],
)
def test_a_value_that_is_none_is_0(
    text: str, value: int, run: Run, tmp_path: Path
) -> None:
    device = "class/drm/card0/device"
    tree.plant(
        f"{device}/uevent: DRIVER=amdgpu\n{device}/gpu_busy_percent: {text}\n", tmp_path
    )
    found = numbers(run, tmp_path)
    assert found["gpu_busy_percent"] == {"card0": value}
    assert len(found) == 8


def test_only_cards_of_amdgpu_count(run: Run, tmp_path: Path) -> None:
    tree.plant(
        "class/drm/card0/device/uevent: DRIVER=nouveau\n"
        "class/drm/card1/dev: 226:1\n"  # a virtual card
        "class/drm/card2/device/uevent: DRIVER=amdgpu\n"
        "class/drm/card2-DP-1/device/uevent: DRIVER=amdgpu\n"
        "class/drm/card10/device/uevent: DRIVER=amdgpu\n"
        "class/drm/renderD128/device/uevent: DRIVER=amdgpu\n",
        tmp_path,
    )
    assert numbers(run, tmp_path)["card_info"] == {"card2": 1, "card10": 1}


def test_no_card_is_nothing(run: Run, tmp_path: Path) -> None:
    assert numbers(run, tmp_path) == {}
