"""Durations and sizes as promtail's config spells them.

Three spellings live side by side in one file: Go's (``1m30s``, nearly everywhere),
Prometheus' (``1d``, ``refresh_interval``) and RAM sizes (``256kb``). Counterparts:
time.ParseDuration, prometheus/common model/time.go (``shipper.logql.duration``) and
docker/go-units size.go.
"""

from __future__ import annotations

import re
from typing import Annotated, Final

from exporters.toolkit.decode import Scalar
from exporters.toolkit.duration import parse_go_duration
from shipper.logql.duration import parse_prometheus_duration


_RAM_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?|\.\d+) ?([kmgtp]?)(?:ib?|b)?", re.ASCII)
_RAM_FACTORS: Final = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}


def parse_config_duration(text: str) -> float:
    """Return the seconds of Go duration *text*; a bare integer is nanoseconds.

    yaml.v2 reads ``batchwait: 1`` as the integer it is, and a Go duration is an
    integer of nanoseconds. Raises ValueError.
    """
    if re.fullmatch(r"[-+]?\d+", text, re.ASCII):
        return int(text[:30]) / 1e9
    return parse_go_duration(text)


def parse_refresh_interval(text: str) -> float:
    """Return the seconds of Prometheus duration *text*. Raises ValueError."""
    return parse_prometheus_duration(text) / 1e9


def parse_ram_size(text: str) -> int:
    """Return the bytes of ``256kb``-style *text*, units of 1024. Raises ValueError."""
    found = _RAM_SIZE.fullmatch(text.lower())
    if found is None or len(text) > 40:
        raise ValueError(f"invalid size: '{text[:40]}'")
    return int(float(found[1]) * 1024 ** _RAM_FACTORS[found[2]])


GoDuration = Annotated[float, Scalar("time.Duration", parse_config_duration)]
PrometheusDuration = Annotated[float, Scalar("Duration", parse_refresh_interval)]
RamSize = Annotated[int, Scalar("ByteSize", parse_ram_size)]
