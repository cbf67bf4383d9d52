"""The kernel's object caches (node_exporter collector/slabinfo_linux.go).

The kernel's side is slabinfo(5), version 2.1; only root may read it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from exporters.node import procfs
from exporters.node.device_filter import DeviceFilter
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.flags import string
from exporters.toolkit.metric import GaugeMetricFamily, Metric


SLABS_INCLUDE = string(
    "collector.slabinfo.slabs-include",
    "Regexp of slabs to include in slabinfo collector.",
    default=".*",
)
SLABS_EXCLUDE = string(
    "collector.slabinfo.slabs-exclude",
    "Regexp of slabs to exclude in slabinfo collector.",
    placeholder='""',  # upstream has a default here, the empty one
)

# In the order of the columns.
_GAUGES = (
    (
        "active_objects",
        "The number of objects that are currently active (i.e., in use).",
    ),
    (
        "objects",
        (
            "The total number of allocated objects (i.e., objects that are both in use"
            " and not in use)."
        ),
    ),
    ("object_size_bytes", "The size of objects in this slab, in bytes."),
    ("objects_per_slab", "The number of objects stored in each slab."),
    ("pages_per_slab", "The number of pages allocated for each slab."),
)
_WORDS_AFTER_NAME = 15
_HEADINGS = (b"slabinfo -", b"# name")


class Slab(NamedTuple):
    """One cache and its numbers, in the order of the columns."""

    name: str
    numbers: list[int]


def parse(data: bytes) -> list[Slab]:
    """Return the caches of a slabinfo file. Raises ValueError.

    A name may have blanks: some modules outside of the kernel's tree do that.
    """
    slabs: list[Slab] = []
    for number, line in procfs.lines(data):
        if any(heading in line for heading in _HEADINGS):
            continue
        name, *words = line.rsplit(None, _WORDS_AFTER_NAME)
        if len(words) != _WORDS_AFTER_NAME:
            raise ValueError(
                f"slabinfo:{number}: expected a name and {_WORDS_AFTER_NAME} words,"
                f" got {line[:60]!r}"
            )
        try:
            numbers = [procfs.parse_int(word) for word in words[: len(_GAUGES)]]
        except ValueError as error:
            raise ValueError(f"slabinfo:{number}: {error}") from error
        slabs.append(Slab(procfs.text(name), numbers))
    return slabs


def create(context: Context) -> Collect:
    """Return the collector of ``/proc/slabinfo``; raises RegexError."""
    values = context.values
    path = context.paths.proc("slabinfo")
    names = DeviceFilter.compile(values[SLABS_EXCLUDE], values[SLABS_INCLUDE])

    def collect() -> Iterator[Metric]:
        slabs = [s for s in parse(procfs.read(path)) if not names.ignored(s.name)]
        for column, (name, text) in enumerate(_GAUGES):
            gauge = GaugeMetricFamily(f"node_slabinfo_{name}", text, labels=("slab",))
            for slab in slabs:
                gauge.add_metric((slab.name,), slab.numbers[column])
            yield gauge

    return collect


COLLECTOR = CollectorSpec(
    "slabinfo",
    create,
    default_enabled=False,
    flags=(SLABS_INCLUDE, SLABS_EXCLUDE),
)
