"""Statistics of network caches (node_exporter collector/lnstat_linux.go, lnstat(8)).

Every file in ``/proc/net/stat`` has a line of names and then a line of hexadecimal
numbers for each possible CPU (kernel net/core/neighbour.c neigh_stat_seq_show).
"""

from __future__ import annotations

from collections.abc import Iterator

from exporters.node import procfs
from exporters.node.apart import Apart, names
from exporters.node.families import Families
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.metric import Metric


def parse(data: bytes) -> dict[str, list[int]]:
    """Return the numbers of each column, CPU by CPU. Raises ValueError."""
    heading, *rows = data.split(b"\n")
    names = [procfs.text(word) for word in heading.split()]
    columns: dict[str, list[int]] = {}
    for number, row in enumerate(rows, start=2):
        words = row.split()
        if len(words) > len(names):
            raise ValueError(
                f"line {number}: expected at most {len(names)} numbers,"
                f" got {len(words)}"
            )
        for name, word in zip(names, words, strict=False):
            columns.setdefault(name, []).append(procfs.parse_uint(word, base=16))
    return columns


def create(context: Context) -> Collect:
    """Return the collector of ``/proc/net/stat``."""
    folder = context.paths.proc("net/stat")

    def collect() -> Iterator[Metric]:
        found, apart = Families(), Apart()
        for name in names(folder):
            columns = apart.read(_read, f"{folder}/{name}")
            _add(found, name, columns or {})
        yield from found
        apart.raise_first()

    return collect


def _read(path: str) -> dict[str, list[int]]:
    return parse(procfs.read(path))


def _add(found: Families, subsystem: str, columns: dict[str, list[int]]) -> None:
    for column, counts in columns.items():
        for cpu, count in enumerate(counts):
            found.counter(
                f"node_lnstat_{column}_total",
                "linux network cache stats",
                count,
                {"subsystem": subsystem, "cpu": str(cpu)},
            )


COLLECTOR = CollectorSpec("lnstat", create, default_enabled=False)
