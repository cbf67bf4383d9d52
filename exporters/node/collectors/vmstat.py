"""Virtual memory counters (node_exporter collector/vmstat_linux.go)."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from exporters.node import procfs
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.flags import string
from exporters.toolkit.metric import Metric, UntypedMetricFamily
from exporters.toolkit.regex import Regex


FIELDS = string(
    "collector.vmstat.fields",
    "Regexp of fields to return for vmstat collector.",
    default="^(oom_kill|pgpg|pswp|pg.*fault).*",
)


def parse(data: bytes) -> dict[str, float]:
    """Return the fields of a vmstat file. Raises ValueError."""
    fields: dict[str, float] = {}
    for number, line in procfs.lines(data):
        words = line.split()
        if len(words) < 2:
            raise ValueError(f"vmstat:{number}: expected 'name N', got {line[:60]!r}")
        fields[procfs.text(words[0])] = procfs.parse_number(words[1])
    return fields


def create(context: Context) -> Collect:
    """Return the collector of ``/proc/vmstat``; raises RegexError for a bad pattern."""
    path = context.paths.proc("vmstat")
    # The kernel's names are the same at every scrape.
    wanted = functools.lru_cache(maxsize=4096)(Regex(context.values[FIELDS]).search)

    def collect() -> Iterator[Metric]:
        for name, value in parse(procfs.read(path)).items():
            if wanted(name):
                yield UntypedMetricFamily(
                    f"node_vmstat_{name}",
                    f"/proc/vmstat information field {name}.",
                    value,
                )

    return collect


COLLECTOR = CollectorSpec("vmstat", create, flags=(FIELDS,))
