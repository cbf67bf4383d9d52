"""Memory of the host (node_exporter collector/meminfo.go, kernel fs/proc/meminfo.c).

Every field the kernel prints is exported, as node_exporter did up to 1.8. Since
then upstream exports only the fields that its library knows, which loses for
example Balloon, Hugetlb, KReclaimable and SecPageTables (node_exporter#3049,
#3449). The names are upstream's, so this is a superset of its families.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from exporters.node import procfs
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.metric import CounterMetricFamily, GaugeMetricFamily, Metric


_PARENTHESES = re.compile(r"\((.*)\)")
_LINES = re.compile(rb"([^\s:][^:\n]*): *([0-9]{1,19})( kB)?\n")
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_]")


def parse(data: bytes) -> dict[str, int]:
    """Return the fields of a meminfo file by their upstream names.

    "Active(anon): 4 kB" becomes ``Active_anon_bytes`` 4096; a field without a
    unit keeps its name and number. Raises ValueError.
    """
    # What stands between the lines that look as they should is nothing, as a rule:
    # one pass for 54 of them, half as long as line by line.
    parts = _LINES.split(data)
    if any(parts[::4]):
        return dict(_by_line(data))
    rows = zip(parts[1::4], parts[2::4], parts[3::4], strict=True)
    return {
        _metric(name, has_unit=bool(unit)): int(amount) * (1024 if unit else 1)
        for name, amount, unit in rows
    }


def _by_line(data: bytes) -> Iterator[tuple[str, int]]:
    for number, line in procfs.lines(data):
        name, colon, rest = line.partition(b":")
        value, *unit = rest.split() or (b"",)
        if not colon or not name.strip() or unit not in ([], [b"kB"]):
            raise ValueError(
                f"meminfo:{number}: expected 'Name: N kB', got {line[:60]!r}"
            )
        factor = 1024 if unit else 1
        yield _metric(name, has_unit=bool(unit)), procfs.parse_uint(value) * factor


def create(context: Context) -> Collect:
    """Return the collector of ``/proc/meminfo``."""
    file = context.proc("meminfo")

    def collect() -> Iterator[Metric]:
        for name, value in parse(file.read()).items():
            family = (
                CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
            )
            yield family(
                f"node_memory_{name}", f"Memory information field {name}.", value
            )

    return collect


@functools.lru_cache(maxsize=1024)  # the kernel's names are always the same
def _metric(field: bytes, *, has_unit: bool) -> str:
    name = _PARENTHESES.sub(r"_\1", procfs.text(field.strip()))
    return _NOT_IN_A_NAME.sub("_", name) + ("_bytes" if has_unit else "")


COLLECTOR = CollectorSpec("meminfo", create)
