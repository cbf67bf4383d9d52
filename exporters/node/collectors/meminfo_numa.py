"""Memory of each NUMA node (node_exporter collector/meminfo_numa_linux.go).

The kernel's side is drivers/base/node.c. Every field that it prints is exported.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import NamedTuple

from exporters.node import procfs
from exporters.node.apart import Apart, names
from exporters.node.families import Families
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.metric import Metric


_NODE = re.compile(r"node[0-9]+", re.ASCII)
_PARENTHESES = re.compile(r"\((.*)\)")
_HEAD = 3  # the words of "Node 0 MemTotal:"


class Field(NamedTuple):
    """One number of one node."""

    node: str
    name: str
    value: float
    is_counter: bool


def parse(data: bytes) -> list[Field]:
    """Return the fields of a node's meminfo, KiB as bytes. Raises ValueError.

    "Node 0 Active(anon): 4 kB" is the field ``Active_anon``, which has no ``_bytes``
    at its end here.
    """
    fields: list[Field] = []
    for number, line in procfs.lines(data):
        words = line.split()
        unit = words[_HEAD + 1 :]
        if len(words) <= _HEAD or unit not in ([], [b"kB"]):
            raise ValueError(
                f"meminfo:{number}: expected 'Node N name: N kB', got {line[:60]!r}"
            )
        value = procfs.parse_number(words[_HEAD])
        node, name = map(procfs.text, words[1:_HEAD])
        name = _PARENTHESES.sub(r"_\1", name.rstrip(":"))
        fields.append(
            Field(node, name, value * 1024 if unit else value, is_counter=False)
        )
    return fields


def parse_numastat(data: bytes, node: str) -> list[Field]:
    """Return the counters of the numastat of *node*. Raises ValueError."""
    fields: list[Field] = []
    for number, line in procfs.lines(data):
        words = line.split()
        if len(words) != 2:
            raise ValueError(f"numastat:{number}: expected 'name N', got {line[:60]!r}")
        name = f"{procfs.text(words[0])}_total"
        fields.append(Field(node, name, procfs.parse_number(words[1]), is_counter=True))
    return fields


def create(context: Context) -> Collect:
    """Return the collector of ``/sys/devices/system/node/node*``."""
    folder = context.paths.sys("devices/system/node")

    def collect() -> Iterator[Metric]:
        found, apart = Families(), Apart()
        for name in names(folder):  # none where the kernel knows no NUMA
            if _NODE.fullmatch(name):
                for field in apart.read(_read, f"{folder}/{name}") or ():
                    _add(found, field)
        yield from found
        apart.raise_first()

    return collect


def _read(path: str) -> list[Field]:
    node = os.path.basename(path).removeprefix("node")
    fields = parse(procfs.read(f"{path}/meminfo"))
    return fields + parse_numastat(procfs.read(f"{path}/numastat"), node)


def _add(found: Families, field: Field) -> None:
    add = found.counter if field.is_counter else found.gauge
    add(
        f"node_memory_numa_{field.name}",
        f"Memory information field {field.name}.",
        field.value,
        {"node": field.node},
    )


COLLECTOR = CollectorSpec("meminfo_numa", create, default_enabled=False)
