"""What a benchmark runs on, and how busy it is."""

from __future__ import annotations

import os
from pathlib import Path


def machine() -> str:
    """Return what this runs on, and how busy it is."""
    system = os.uname()
    return (
        f"{os.cpu_count()} x {processor(Path('/proc/cpuinfo').read_text())}, "
        f"{system.sysname} {system.release} {system.machine}; load average: {load()}"
    )


def processor(cpuinfo: str) -> str:
    """Return the name of the first processor of a cpuinfo file."""
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return "unnamed CPU"


def load() -> str:
    """Return the load averages of 1, 5 and 15 minutes."""
    return " ".join(f"{value:.2f}" for value in os.getloadavg())
