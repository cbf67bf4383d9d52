"""Durations and sizes as promtail's config spells them.

Three spellings live side by side in one file: Go's (``1m30s``, nearly everywhere),
Prometheus' (``1d``, ``refresh_interval``) and RAM sizes (``256kb``). Counterparts:
time.ParseDuration, prometheus/common model/time.go, docker/go-units size.go.
"""

from __future__ import annotations

import re
from typing import Annotated, Final

from exporters.toolkit.decode import Scalar
from exporters.toolkit.duration import parse_go_duration


_PROMETHEUS: Final = re.compile(
    r"(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?"
)
_UNIT_MILLISECONDS: Final = (
    365 * 86_400_000,
    7 * 86_400_000,
    86_400_000,
    3_600_000,
    60_000,
    1_000,
    1,
)
_RAM_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?|\.\d+) ?([kmgtp]?)(?:ib?|b)?", re.ASCII)
_RAM_FACTORS: Final = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_MAX_NANOSECONDS: Final = (1 << 63) - 1


def parse_config_duration(text: str) -> float:
    """Return the seconds of Go duration *text*; a bare integer is nanoseconds.

    yaml.v2 reads ``batchwait: 1`` as the integer it is, and a Go duration is an
    integer of nanoseconds. Raises ValueError.
    """
    if re.fullmatch(r"[-+]?\d+", text, re.ASCII):
        return int(text[:30]) / 1e9
    return parse_go_duration(text)


def parse_prometheus_duration(text: str) -> float:
    """Return the seconds of ``1d12h``-style *text*. Raises ValueError.

    Units go from large to small, each at most once; years and weeks are 365 and 7
    days; "0" needs no unit.
    """
    if not text:
        raise ValueError("empty duration string")
    if text == "0":
        return 0.0
    found = _PROMETHEUS.fullmatch(text)
    if found is None or len(text) > 200:
        raise ValueError(f'not a valid duration string: "{text[:40]}"')
    milliseconds = sum(
        int(count) * unit
        for count, unit in zip(found.groups(), _UNIT_MILLISECONDS, strict=True)
        if count
    )
    if milliseconds * 1_000_000 > _MAX_NANOSECONDS:
        raise ValueError("duration out of range")
    return milliseconds / 1000


def parse_ram_size(text: str) -> int:
    """Return the bytes of ``256kb``-style *text*, units of 1024. Raises ValueError."""
    found = _RAM_SIZE.fullmatch(text.lower())
    if found is None or len(text) > 40:
        raise ValueError(f"invalid size: '{text[:40]}'")
    return int(float(found[1]) * 1024 ** _RAM_FACTORS[found[2]])


GoDuration = Annotated[float, Scalar("time.Duration", parse_config_duration)]
PrometheusDuration = Annotated[float, Scalar("Duration", parse_prometheus_duration)]
RamSize = Annotated[int, Scalar("ByteSize", parse_ram_size)]
