"""Hardware watchdogs (node_exporter collector/watchdog.go).

The kernel's side is Documentation/ABI/testing/sysfs-class-watchdog.
"""

from __future__ import annotations

from collections.abc import Iterator

from exporters.node.attributes import Attributes, list_devices
from exporters.node.families import Families
from exporters.node.integers import signed
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.metric import Metric


_NUMBERS = {  # attribute -> family without "node_watchdog_"
    "bootstatus": "bootstatus",
    "fw_version": "fw_version",
    "nowayout": "nowayout",
    "timeleft": "timeleft_seconds",
    "timeout": "timeout_seconds",
    "pretimeout": "pretimeout_seconds",
    "access_cs0": "access_cs0",
}
_TEXTS = ("options", "identity", "state", "status", "pretimeout_governor")


def create(context: Context) -> Collect:
    """Return the collector of ``/sys/class/watchdog``."""
    root = context.paths.sys("class", "watchdog")

    def collect() -> Iterator[Metric]:
        attributes, families = Attributes(), Families()
        for name in list_devices(root, denied_is_nodata=True):
            add_watchdog(families, attributes, name, f"{root}/{name}")
        yield from families
        attributes.raise_rejected()

    return collect


def add_watchdog(
    families: Families, attributes: Attributes, name: str, path: str
) -> None:
    """Add what the watchdog *name* says of itself; every attribute is optional."""
    for file, family in _NUMBERS.items():
        value = attributes.value(f"{path}/{file}", signed)
        if value is not None:
            families.gauge(
                f"node_watchdog_{family}",
                f"Value of /sys/class/watchdog/<watchdog>/{file}",
                value,
                {"name": name},
            )
    texts = {file: attributes.label(f"{path}/{file}") for file in _TEXTS}
    families.gauge(
        "node_watchdog_info",
        "Info of /sys/class/watchdog/<watchdog>",
        1,
        {"name": name, **texts},
    )


COLLECTOR = CollectorSpec("watchdog", create)
