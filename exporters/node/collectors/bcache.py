"""Cache sets of bcache (node_exporter collector/bcache_linux.go)."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping

from exporters.node.apart import Apart, names
from exporters.node.families import Families
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.node.storage import bcache, bcache_series as table
from exporters.toolkit.flags import boolean
from exporters.toolkit.metric import Metric


Labels = Mapping[str, str]

PRIORITY_STATS = boolean(
    "collector.bcache.priorityStats", "Expose expensive priority stats."
)


def create(context: Context) -> Collect:
    """Return the collector of ``/sys/fs/bcache``."""
    path = context.paths.sys("fs", "bcache")
    with_priorities = context.values[PRIORITY_STATS]

    def collect() -> Iterator[Metric]:
        apart, families = Apart(), Families()
        for uuid in names(path):
            if "-" in uuid:  # the rest is "register" and such
                _add_set(families, apart, f"{path}/{uuid}", with_priorities)
        yield from families
        apart.raise_first()

    return collect


def _add_set(families: Families, apart: Apart, path: str, priorities: bool) -> None:
    labels = {"uuid": path.rpartition("/")[2]}
    _add(families, table.SET, apart.read(_read_set, path), labels)
    present = names(path)
    for device in fnmatch.filter(present, "bdev[0-9]*"):
        own = {**labels, "backing_device": device}
        _add_backing(families, apart, f"{path}/{device}", own)
    for device in fnmatch.filter(present, "cache[0-9]*"):
        where, own = f"{path}/{device}", {**labels, "cache_device": device}
        _add(families, table.CACHE, apart.read(_read_cache, where), own)
        if priorities:
            percents = apart.read(bcache.read_priorities, where)
            _add(families, table.PRIORITIES, percents, own)


def _add_backing(families: Families, apart: Apart, path: str, labels: Labels) -> None:
    numbers = apart.read(_read_backing, path)
    _add(families, table.BACKING, numbers, labels)
    if numbers and numbers[table.READAHEADS.key]:
        _add(families, (table.READAHEADS,), numbers, labels)
    writeback = apart.read(bcache.read_writeback, path)
    _add(families, table.WRITEBACK, writeback, labels)


def _read_set(path: str) -> bcache.Numbers:
    return bcache.read_numbers(path, [series.key for series in table.SET])


def _read_backing(path: str) -> bcache.Numbers:
    wanted = (*table.BACKING, table.READAHEADS)
    return bcache.read_numbers(path, [series.key for series in wanted])


def _read_cache(path: str) -> bcache.Numbers:
    return bcache.read_numbers(path, [series.key for series in table.CACHE])


def _add(
    families: Families,
    shown: tuple[table.Series, ...],
    numbers: bcache.Numbers | None,
    labels: Labels,
) -> None:
    if numbers is None:
        return
    for series in shown:
        value = numbers[series.key] * series.factor
        families.named(f"node_bcache_{series.name}", series.help, value, labels)


COLLECTOR = CollectorSpec("bcache", create, flags=(PRIORITY_STATS,))
