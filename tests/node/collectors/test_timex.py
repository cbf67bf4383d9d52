from __future__ import annotations

import ctypes

import pytest

from exporters.node.collectors import timex
from tests.node.conftest import Run


def values(record: timex.Timex, *, synchronised: bool = True) -> dict[str, float]:
    return {
        metric.name.removeprefix("node_timex_"): metric.samples[0].value
        for metric in timex.families(record, synchronised=synchronised)
    }


@pytest.mark.parametrize(
    ("status", "divisor"), [(0, 1e6), (0x2000, 1e9), (0x2001, 1e9)]
)
def test_offset_and_jitter_follow_the_resolution(status: int, divisor: float) -> None:
    seen = values(timex.Timex(status=status, offset=-1234, jitter=77))
    assert seen["offset_seconds"] == -1234 / divisor
    assert seen["pps_jitter_seconds"] == 77 / divisor
    assert seen["status"] == status


def test_units() -> None:
    seen = values(timex.Timex(freq=65536, maxerror=16000000, tick=10000, stabil=65536))
    assert seen["frequency_adjustment_ratio"] == 1.000001
    assert seen["maxerror_seconds"] == 16
    assert seen["tick_seconds"] == 0.01
    assert seen["pps_stability_hertz"] == 1e-06
    assert seen["sync_status"] == 1
    assert values(timex.Timex(), synchronised=False)["sync_status"] == 0


@pytest.mark.skipif(ctypes.sizeof(ctypes.c_long) != 8, reason="64-bit layout")
def test_layout_is_the_kernels() -> None:
    # <linux/timex.h>: 208 bytes on every 64-bit architecture.
    assert ctypes.sizeof(timex.Timex) == 208
    assert timex.Timex.tai.offset == 160


def test_families(run: Run) -> None:
    metrics = run(timex.COLLECTOR)
    assert len(metrics) == 17
    assert sum(metric.type == "counter" for metric in metrics) == 4
    tick = {m.name: m.samples[0].value for m in metrics}["node_timex_tick_seconds"]
    assert 0.009 <= tick <= 0.011  # the kernel allows 10 % around 10 ms at HZ=100
