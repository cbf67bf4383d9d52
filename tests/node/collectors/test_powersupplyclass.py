from __future__ import annotations

from pathlib import Path

import pytest

from exporters.node.collectors import powersupplyclass
from tests.node import golden
from tests.node.conftest import Run


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b" SMP \n", "SMP"),
        (b"", ""),
        (b"0\xff\xff\xff1\n", "0\ufffd1"),
        (b"\xc3", "\ufffd"),
        ("L\ufffd\ufffd".encode(), "L\ufffd\ufffd"),
        (b"x" * 200, "x" * 128),
    ],
)
def test_text(data: bytes, text: str, tmp_path: Path) -> None:
    path = tmp_path / "model_name"
    path.write_bytes(data)
    assert powersupplyclass.read_text(str(path)) == text


def test_text_that_is_not_given(tmp_path: Path) -> None:
    assert powersupplyclass.read_text(str(tmp_path)) == ""
    assert powersupplyclass.read_text(str(tmp_path / "none")) == ""


def test_a_tenth_of_a_degree_is_divided_as_go_does(run: Run, tmp_path: Path) -> None:
    tree = (
        "sys/class/power_supply/a/temp: 283\n"
        "sys/class/power_supply/a/energy_now: 0x10\n"
        "sys/class/power_supply/a/capacity: 100\n"
    )
    families = run(powersupplyclass.COLLECTOR, where=golden.planted(tree, tmp_path))
    values = {f.name.removeprefix("node_power_supply_"): f.samples[0].value
              for f in families}  # fmt: skip
    assert values == {
        "temp_celsius": 28.3,
        "energy_watthour": 16 / 1e6,
        "capacity": 100,
        "info": 1,
    }


def test_ignored_supplies(run: Run, tmp_path: Path) -> None:
    tree = "".join(f"sys/class/power_supply/{n}/online: 1\n" for n in ("AC", "ADP1"))
    where = golden.planted(tree, tmp_path)
    flag = "--collector.powersupply.ignored-supplies=^AC$"
    families = run(powersupplyclass.COLLECTOR, flag, where=where)
    assert {s.labels["power_supply"] for f in families for s in f.samples} == {"ADP1"}
