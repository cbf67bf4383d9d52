"""Virtual memory counters (node_exporter collector/vmstat_linux.go)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from exporters.node import procfs
from exporters.node.named_numbers import NamedNumbers
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.flags import string
from exporters.toolkit.metric import Metric, UntypedMetricFamily
from exporters.toolkit.regex import Regex


FIELDS = string(
    "collector.vmstat.fields",
    "Regexp of fields to return for vmstat collector.",
    default="^(oom_kill|pgpg|pswp|pg.*fault).*",
)


_LINES = re.compile(rb"([^\s]+) ([0-9]+)\n")


def parse(data: bytes) -> dict[bytes, float]:
    """Return the fields of a vmstat file. Raises ValueError."""
    # What stands between the lines that look as they should is nothing, as a rule:
    # one pass for 190 of them, a third as long as line by line.
    parts = _LINES.split(data)
    if not any(parts[::3]):
        return dict(zip(parts[1::3], map(float, parts[2::3]), strict=True))
    return dict(_by_line(data))


def _by_line(data: bytes) -> Iterator[tuple[bytes, float]]:
    for number, line in procfs.lines(data):
        name, *values = line.split(None, 2)
        if not values:
            raise ValueError(f"vmstat:{number}: expected 'name N', got {line[:60]!r}")
        yield name, procfs.parse_number(values[0])


def create(context: Context) -> Collect:
    """Return the collector of ``/proc/vmstat``; raises RegexError for a bad pattern."""
    file = context.proc("vmstat")
    wanted = Regex(context.values[FIELDS])

    def title(field: bytes) -> tuple[str, str] | None:
        name = procfs.text(field)
        if not wanted.search(name):
            return None
        return f"node_vmstat_{name}", f"/proc/vmstat information field {name}."

    numbers = NamedNumbers(parse, title)

    def collect() -> Iterator[Metric]:
        for named, value in numbers.read(file.read()):
            yield UntypedMetricFamily(*named, value)

    return collect


COLLECTOR = CollectorSpec("vmstat", create, flags=(FIELDS,))
