"""Slaves of bonding interfaces (node_exporter collector/bonding_linux.go).

The kernel's side is drivers/net/bonding/bond_sysfs.c and bond_sysfs_slave.c.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from exporters.node import procfs, sysfs
from exporters.node.gauges import Gauges
from exporters.node.registry import Collect, CollectorSpec, Context, NoData
from exporters.toolkit.metric import Metric


class Slaves(NamedTuple):
    """How many slaves a bonding interface has, and how many of them have a link."""

    configured: int
    active: int


_HELP = {
    "slaves": "Number of configured slaves per bonding interface.",
    "active": "Number of active slaves per bonding interface.",
}


def create(context: Context) -> Collect:
    """Return the collector of ``/sys/class/net/bonding_masters``."""
    root = context.paths.sys("class", "net")
    path = f"{root}/bonding_masters"

    def collect() -> Iterator[Metric]:
        try:
            masters = _names(path)
        except FileNotFoundError as error:
            raise NoData(f"{path} does not exist: bonding is not loaded") from error
        gauges = Gauges("node_bonding_", _HELP)
        for master in masters:
            add_master(gauges, master, f"{root}/{master}")
        yield from gauges

    return collect


def add_master(gauges: Gauges, master: str, path: str) -> None:
    """Add the slaves of *master*, unless it has gone by now."""
    try:
        slaves = read_slaves(path)
    except OSError:
        return
    gauges.add("slaves", slaves.configured, {"master": master})
    gauges.add("active", slaves.active, {"master": master})


def read_slaves(path: str) -> Slaves:
    """Return the slaves of the interface at *path*. Raises OSError.

    A slave that is taken out meanwhile is none; one whose state cannot be read for
    another reason is not active.
    """
    states = [_state(path, slave) for slave in _names(f"{path}/bonding/slaves")]
    known = [state for state in states if state is not None]
    return Slaves(len(known), known.count("up"))


def _names(path: str) -> list[str]:
    # Whole, not as sysfs.read has it: the names are often longer than 128 bytes.
    return procfs.text(procfs.read(path)).split()


def _state(path: str, slave: str) -> str | None:
    # slave_: before Linux 3.18
    for link in (f"lower_{slave}", f"slave_{slave}"):
        try:
            return sysfs.read(f"{path}/{link}/bonding_slave/mii_status")
        except FileNotFoundError:
            continue
        except OSError:
            return ""
    return None


COLLECTOR = CollectorSpec("bonding", create)
