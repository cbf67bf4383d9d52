"""The system's name and the host's (collector/uname_bsd.go)."""

from __future__ import annotations

import platform
from collections.abc import Iterator

from exporters.node.collectors.uname import NODENAME, info
from exporters.node.portable import system
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.metric import Metric


_NO_DOMAIN = "(none)"  # what Linux says where none is set


def create(context: Context) -> Collect:
    """Return the collector of the system's names."""
    given = context.values[NODENAME]

    def collect() -> Iterator[Metric]:
        names = platform.uname()
        node, domain = split(names.node, system.current())
        yield info(
            {
                "sysname": names.system,
                "release": names.release,
                "version": names.version,
                "machine": names.machine,
                "nodename": given or node,
                "domainname": domain,
            }
        )

    return collect


def split(name: str, on: str) -> tuple[str, str]:
    """Return host and domain of *name*, which is whole on Linux, as upstream does."""
    if on == "linux":
        return name, _NO_DOMAIN
    host, dot, domain = name.partition(".")
    return host, domain if dot else _NO_DOMAIN


COLLECTOR = CollectorSpec("uname", create, flags=(NODENAME,))
