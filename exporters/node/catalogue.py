"""Which collectors have to be imported for a command line: not all are.

Importing all 79 takes 45 ms of the start and 3 MiB for good. Those that are off by
default are imported when the command line names them, one of their flags, or something
that is about all collectors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from exporters.node import collectors, profiles, registry
from exporters.node.early import names_of
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit import builtin_flags


OFF_BY_DEFAULT: Final[Mapping[str, tuple[str, ...]]] = {
    "buddyinfo": (),
    "cgroups": (),
    "cpu_vulnerabilities": (),
    "drbd": (),
    "drm": (),
    "ethtool": ("device-include", "device-exclude", "metrics-include"),
    "interrupts": ("name-include", "name-exclude", "include-zeros"),
    "ksmd": (),
    "lnstat": (),
    "logind": (),
    "meminfo_numa": (),
    "mountstats": (),
    "network_route": (),
    "ntp": (
        "server",
        "server-port",
        "protocol-version",
        "server-is-local",
        "ip-ttl",
        "max-distance",
        "local-offset-tolerance",
    ),
    "nvmesubsystem": (),
    "pcidevice": ("idsfile", "names"),
    "perf": (
        "cpus",
        "tracepoint",
        "disable-hardware-profilers",
        "hardware-profilers",
        "disable-software-profilers",
        "software-profilers",
        "disable-cache-profilers",
        "cache-profilers",
    ),
    "processes": (),
    "qdisc": ("fixtures", "device-include", "device-exclude"),
    "runit": ("servicedir",),
    "slabinfo": ("slabs-include", "slabs-exclude"),
    "softirqs": (),
    "supervisord": ("url",),
    "swap": (),
    "sysctl": ("include", "include-info"),
    "systemd": (
        "unit-include",
        "unit-whitelist",
        "unit-exclude",
        "unit-blacklist",
        "private",
        "enable-task-metrics",
        "enable-restarts-metrics",
        "enable-start-time-metrics",
    ),
    "tcpstat": (),
    "wifi": ("fixtures",),
    "xfrm": (),
    "zoneinfo": (),
}
"""The collectors that are off by default, and their own flags without
``collector.<name>.``. One that is missing here is imported at every start."""

# Flags of one of them that do not begin with its name.
_ELSEWHERE: Final = {
    "collector.qdisk.device-include": "qdisc",
    "collector.qdisk.device-exclude": "qdisc",
}
_ABOUT_ALL: Final = frozenset({profiles.PROFILE.name, "check", "h"}) | (
    builtin_flags.NAMES - {builtin_flags.VERSION.name}
)


def flags_of(name: str) -> Iterable[str]:
    """Yield the names of the flags that only the collector *name* brings."""
    yield f"collector.{name}"
    for flag in OFF_BY_DEFAULT[name]:
        yield f"collector.{name}.{flag}"
    yield from (flag for flag, owner in _ELSEWHERE.items() if owner == name)


def specs_for(argv: Sequence[str]) -> tuple[CollectorSpec, ...]:
    """Return every collector by name; of those that *argv* leaves off, the switch."""
    named = names_of(argv)
    if named & _ABOUT_ALL:
        return registry.discover()
    off = [name for name in OFF_BY_DEFAULT if named.isdisjoint(flags_of(name))]
    wanted = (_module(n) for n in registry.module_names() if n not in off)
    specs = (*registry.load(*wanted), *map(_switch_of, off))
    return tuple(sorted(specs, key=lambda spec: spec.name))


def _module(name: str) -> str:
    return f"{collectors.__name__}.{name}"


def _switch_of(name: str) -> CollectorSpec:
    return CollectorSpec(name, _creator(name), default_enabled=False)


def _creator(name: str) -> Callable[[Context], Collect]:
    def create(context: Context) -> Collect:
        (spec,) = registry.load(_module(name))
        return spec.create(context)

    return create
