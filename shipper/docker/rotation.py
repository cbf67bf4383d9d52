"""Read how large the log file of a container may become: ``HostConfig.LogConfig``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any


LOCAL_BYTES = 20_000_000
"""Default size of a file of the ``local`` driver, and of the cache for others."""

_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?([kmgtp]?)(?:i?b)?", re.IGNORECASE)


def parse_size(text: str) -> int | None:
    """Return the bytes that a ``max-size`` says, None when it says no limit.

    As go-units FromHumanSize, where ``10m`` is 10,000,000 and ``-1`` is no limit.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        return None
    number, unit = match.groups()
    power = " kmgtp".index(unit.lower() or " ")
    return int(float(number) * 1000**power) or None


def file_bytes(log_config: Mapping[str, Any]) -> int | None:
    """Return at how many bytes a log file rotates, None when it does not.

    *log_config* is ``HostConfig.LogConfig`` of a container.
    """
    driver, options = log_config.get("Type"), log_config.get("Config") or {}
    if driver in {"none", "journald"}:
        return None
    if driver == "json-file":
        return parse_size(options.get("max-size", "-1"))
    prefix = "" if driver == "local" else "cache-"
    return parse_size(options.get(f"{prefix}max-size", str(LOCAL_BYTES)))
