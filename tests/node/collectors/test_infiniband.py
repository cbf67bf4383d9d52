from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from exporters.node.collectors import infiniband
from tests.node import golden
from tests.node.conftest import Run


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("2.5 Gb/sec (1X SDR)", 312500000),
        ("100 Gb/sec (4X EDR)", 12500000000),
        ("56.7 Gb/sec", 7087500095),  # not a float of 32 bits: as upstream rounds it
        ("0 ", 0),
    ],
)
def test_rate(text: str, rate: int) -> None:
    assert infiniband.parse_rate(text) == rate


@pytest.mark.parametrize(
    "text",
    ["", "100", "fast Gb/sec", "-1 Gb/sec", "inf Gb/sec", "nan x", "1_0 x", "1e99 x"],
)
def test_what_is_no_rate(text: str) -> None:
    with pytest.raises(ValueError, match="expected 'NUMBER Gb/sec"):
        infiniband.parse_rate(text)


@pytest.mark.parametrize(
    ("text", "state"), [("4: ACTIVE", 4), ("5:LinkUp", 5), ("1 : DOWN", 1), ("0:", 0)]
)
def test_state(text: str, state: int) -> None:
    assert infiniband.parse_state(text) == state


@pytest.mark.parametrize(
    "text", ["", "4", "ACTIVE", "4: A: B", "-1: X", "4294967296: X"]
)
def test_what_is_no_state(text: str) -> None:
    with pytest.raises(ValueError, match="expected 'NUMBER: NAME'"):
        infiniband.parse_state(text)


@pytest.mark.parametrize(
    "parse", [infiniband.parse_rate, infiniband.parse_state, infiniband.parse_count]
)
@given(text=st.text(max_size=40))
def test_rubbish_raises_only_value_error(
    parse: Callable[[str], int | None], text: str
) -> None:
    with contextlib.suppress(ValueError):
        value = parse(text)
        assert value is None or value >= 0


@pytest.mark.parametrize(
    ("flags", "devices"),
    [
        ((), ["mlx4_0", "mlx5_0", "rxe0"]),
        (("--collector.infiniband.device-include=^mlx",), ["mlx4_0", "mlx5_0"]),
        (("--collector.infiniband.device-exclude=^mlx",), ["rxe0"]),
        (
            (
                "--collector.infiniband.device-include=^mlx",
                "--collector.infiniband.device-exclude=_0$",
            ),
            [],
        ),
    ],
)
def test_filters(
    flags: tuple[str, ...], devices: list[str], run: Run, tmp_path: Path
) -> None:
    names = ("mlx5_0", "mlx4_0", "rxe0")
    text = "".join(f"sys/class/infiniband/{name}/fw_ver: 1\n" for name in names)
    families = run(infiniband.COLLECTOR, *flags, where=golden.planted(text, tmp_path))
    assert [s.labels["device"] for f in families for s in f.samples] == devices


def test_a_port_is_a_number(run: Run, tmp_path: Path) -> None:
    text = "sys/class/infiniband/a/ports/one/state: 1: DOWN\n"
    with pytest.raises(ValueError, match="/a/ports: expected an unsigned integer"):
        run(infiniband.COLLECTOR, where=golden.planted(text, tmp_path))


def test_lanes_do_not_overflow(run: Run, tmp_path: Path) -> None:
    text = f"sys/class/infiniband/a/ports/01/counters/port_rcv_data: {2**62 + 1}\n"
    found = run(infiniband.COLLECTOR, where=golden.planted(text, tmp_path))
    (sample,) = found[-1].samples
    assert sample.value == 4
    assert sample.labels == {"device": "a", "port": "1"}
