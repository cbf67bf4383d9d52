"""Sets of flags by name: ``--collector.profile``. Ours; upstream has none.

A profile is what one would write on the command line. What is written there wins.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from exporters.toolkit.flags import Flag, Values, choice


@dataclass(frozen=True, slots=True)
class Profile:
    """The *collectors* to switch on, and what to add *more* to patterns by flag."""

    collectors: tuple[str, ...]
    more: Mapping[str, str] = field(default_factory=dict)


# What the panels of the dashboard "Node Exporter Full" (grafana.com 1860) ask for.
_DASHBOARD = Profile(
    (
        "arp",
        "conntrack",
        "cpu",
        "cpufreq",
        "diskstats",
        "entropy",
        "filefd",
        "filesystem",
        "hwmon",
        "interrupts",
        "kernel_hung",
        "loadavg",
        "meminfo",
        "netclass",
        "netdev",
        "netstat",
        "powersupplyclass",
        "pressure",
        "processes",
        "schedstat",
        "sockstat",
        "softnet",
        "stat",
        "systemd",
        "tcpstat",
        "textfile",
        "thermal_zone",
        "time",
        "timex",
        "udp_queues",
        "uname",
        "vmstat",
    ),
    {"collector.netstat.fields": "^Tcp_MaxConn$"},
)
PROFILES: Mapping[str, Profile] = {"dashboard": _DASHBOARD}

PROFILE = choice(
    "collector.profile",
    "Switch on the collectors that a dashboard needs beside those that are on by"
    " default; with --collector.disable-defaults, those alone. One of:"
    f" [{', '.join(PROFILES)}]",
    tuple(PROFILES),
    default="",
)


def arguments(values: Values, flags: Iterable[Flag[Any]]) -> Iterator[str]:
    """Yield the arguments that the profile in *values* stands for.

    Those of *flags* that the command line names are left as they are.
    """
    profile = PROFILES.get(values[PROFILE])
    if profile is None:
        return
    free = {flag.name: flag for flag in flags if not values.given(flag)}
    for name in profile.collectors:
        if f"collector.{name}" in free:
            yield f"--collector.{name}"
    for name, pattern in profile.more.items():
        if name in free:
            yield f"--{name}={free[name].default}|{pattern}"
