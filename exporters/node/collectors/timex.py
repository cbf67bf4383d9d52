"""The kernel's clock discipline (node_exporter collector/timex.go, adjtimex(2))."""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Iterator
from typing import NamedTuple

from exporters.node import libc
from exporters.node.registry import Collect, CollectorSpec, Context, NoData
from exporters.toolkit.metric import CounterMetricFamily, GaugeMetricFamily, Metric


_TIME_ERROR = 5  # adjtimex returns it while the clock follows no reliable server
_STA_NANO = 0x2000  # offset and jitter are in nanoseconds
_MICROSECONDS = 1_000_000
_NANOSECONDS = 1_000_000_000
_PPM_16_BIT_FRACTION = 1_000_000.0 * 65536.0  # "NOTES" of adjtimex(2)


class Timex(ctypes.Structure):
    """``struct timex`` of <sys/timex.h>; ``long`` is 32 or 64 bits by platform."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("constant", ctypes.c_long),
        ("precision", ctypes.c_long),
        ("tolerance", ctypes.c_long),
        ("time_sec", ctypes.c_long),
        ("time_usec", ctypes.c_long),
        ("tick", ctypes.c_long),
        ("ppsfreq", ctypes.c_long),
        ("jitter", ctypes.c_long),
        ("shift", ctypes.c_int),
        ("stabil", ctypes.c_long),
        ("jitcnt", ctypes.c_long),
        ("calcnt", ctypes.c_long),
        ("errcnt", ctypes.c_long),
        ("stbcnt", ctypes.c_long),
        ("tai", ctypes.c_int),
        ("reserved", ctypes.c_int * 11),
    )


class _Series(NamedTuple):
    name: str
    value: float
    help: str


def create(_context: Context) -> Collect:
    """Return the collector of adjtimex(2), asked without setting anything."""
    library = libc.library()

    def collect() -> Iterator[Metric]:
        timex = Timex()
        state = library.adjtimex(ctypes.byref(timex))
        if state < 0:
            code = ctypes.get_errno()
            if code in {errno.EPERM, errno.EACCES}:
                raise NoData(f"adjtimex: {os.strerror(code)}")
            raise OSError(code, f"adjtimex: {os.strerror(code)}")
        yield from families(timex, synchronised=state != _TIME_ERROR)

    return collect


def families(timex: Timex, *, synchronised: bool) -> Iterator[Metric]:
    """Yield the metrics of *timex*, in seconds, hertz and ratios."""
    for series in _gauges(timex, synchronised=synchronised):
        yield GaugeMetricFamily(f"node_timex_{series.name}", series.help, series.value)
    for series in _counters(timex):
        yield CounterMetricFamily(
            f"node_timex_{series.name}_total", series.help, series.value
        )


def _gauges(timex: Timex, *, synchronised: bool) -> tuple[_Series, ...]:
    divisor = _NANOSECONDS if timex.status & _STA_NANO else _MICROSECONDS
    return (
        _Series(
            "sync_status",
            int(synchronised),
            "Is clock synchronized to a reliable server (1 = yes, 0 = no).",
        ),
        _Series(
            "offset_seconds",
            timex.offset / divisor,
            "Time offset in between local system and reference clock.",
        ),
        _Series(
            "frequency_adjustment_ratio",
            1 + timex.freq / _PPM_16_BIT_FRACTION,
            "Local clock frequency adjustment.",
        ),
        _Series(
            "maxerror_seconds",
            timex.maxerror / _MICROSECONDS,
            "Maximum error in seconds.",
        ),
        _Series(
            "estimated_error_seconds",
            timex.esterror / _MICROSECONDS,
            "Estimated error in seconds.",
        ),
        _Series("status", timex.status, "Value of the status array bits."),
        _Series(
            "loop_time_constant", timex.constant, "Phase-locked loop time constant."
        ),
        _Series(
            "tick_seconds", timex.tick / _MICROSECONDS, "Seconds between clock ticks."
        ),
        _Series(
            "pps_frequency_hertz",
            timex.ppsfreq / _PPM_16_BIT_FRACTION,
            "Pulse per second frequency.",
        ),
        _Series(
            "pps_jitter_seconds", timex.jitter / divisor, "Pulse per second jitter."
        ),
        _Series(
            "pps_shift_seconds", timex.shift, "Pulse per second interval duration."
        ),
        _Series(
            "pps_stability_hertz",
            timex.stabil / _PPM_16_BIT_FRACTION,
            "Pulse per second stability, average of recent frequency changes.",
        ),
        _Series(
            "tai_offset_seconds", timex.tai, "International Atomic Time (TAI) offset."
        ),
    )


def _counters(timex: Timex) -> tuple[_Series, ...]:
    return (
        _Series(
            "pps_jitter",
            timex.jitcnt,
            "Pulse per second count of jitter limit exceeded events.",
        ),
        _Series(
            "pps_calibration",
            timex.calcnt,
            "Pulse per second count of calibration intervals.",
        ),
        _Series(
            "pps_error",
            timex.errcnt,
            "Pulse per second count of calibration errors.",
        ),
        _Series(
            "pps_stability_exceeded",
            timex.stbcnt,
            "Pulse per second count of stability limit exceeded events.",
        ),
    )


COLLECTOR = CollectorSpec("timex", create)
