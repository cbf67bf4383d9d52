"""Durations as promtail's config spells them.

Two spellings live side by side in one file: Go's (``1m30s``, nearly everywhere) and
Prometheus' (``1d``, ``refresh_interval``). Counterparts: time.ParseDuration and
prometheus/common model/time.go (``shipper.logql.duration``).
"""

from __future__ import annotations

import re
from typing import Annotated

from exporters.toolkit.decode import Scalar
from exporters.toolkit.duration import parse_go_duration
from shipper.logql.duration import parse_prometheus_duration


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


GoDuration = Annotated[float, Scalar("time.Duration", parse_config_duration)]
PrometheusDuration = Annotated[float, Scalar("Duration", parse_refresh_interval)]
