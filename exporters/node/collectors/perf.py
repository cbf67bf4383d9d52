"""Counters of perf_event_open(2), for each CPU (collector/perf_linux.go)."""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterator

from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.errors import StartError
from exporters.toolkit.flags import Values, boolean, string, strings
from exporters.toolkit.gotext import parse_int, quote
from exporters.toolkit.metric import Metric


CPUS = string(
    "collector.perf.cpus",
    "List of CPUs from which perf metrics should be collected",
    placeholder='""',
)
TRACEPOINT = strings(
    "collector.perf.tracepoint", "perf tracepoint that should be collected"
)
NO_HARDWARE = boolean(
    "collector.perf.disable-hardware-profilers", "disable perf hardware profilers"
)
HARDWARE = strings(
    "collector.perf.hardware-profilers",
    "perf hardware profilers that should be collected",
)
NO_SOFTWARE = boolean(
    "collector.perf.disable-software-profilers", "disable perf software profilers"
)
SOFTWARE = strings(
    "collector.perf.software-profilers",
    "perf software profilers that should be collected",
)
NO_CACHE = boolean(
    "collector.perf.disable-cache-profilers", "disable perf cache profilers"
)
CACHE = strings(
    "collector.perf.cache-profilers", "perf cache profilers that should be collected"
)

# As many as Linux can be built for (NR_CPUS): a slip of the pen opens no millions.
_MOST_CPUS = 8192
# kind of events, the flag that switches it off, the flag that chooses from it
_KINDS = (
    ("hardware", NO_HARDWARE, HARDWARE),
    ("software", NO_SOFTWARE, SOFTWARE),
    ("cache", NO_CACHE, CACHE),
)


def create(context: Context) -> Collect:
    """Return the collector, which counts from now on. Raises StartError."""
    # Only for who has this collector: a table of thirty events and what opens them.
    from exporters.node.hardware import perf_counters, perf_profilers, tracefs  # noqa: PLC0415

    values = context.values
    cpus = wanted_cpus(values)
    counters = perf_counters.Counters()
    tracepoints = values[TRACEPOINT]
    if tracepoints:
        counters.add_tracepoints(tracefs.find(tracepoints), cpus)
    for kind, disabled, chosen in _KINDS:
        if not values[disabled]:
            profilers = perf_profilers.choose(kind, values[chosen])
            counters.add_profilers(kind, profilers, cpus)

    def collect() -> Iterator[Metric]:
        yield from counters.read()

    weakref.finalize(collect, counters.close)
    return collect


def wanted_cpus(values: Values) -> list[int]:
    """Return the CPUs of the flag, else as many as may run us. Raises StartError."""
    if values[CPUS]:
        return parse_cpus(values[CPUS])
    return list(range(len(os.sched_getaffinity(0))))


def parse_cpus(text: str) -> list[int]:
    """Return the CPUs that *text* lists: ``0``, ``2-6``, ``1-10:5`` (each fifth).

    Raises StartError.
    """
    cpus: dict[int, None] = {}  # each once, in the order given
    for part in text.split(","):
        span = _parse_span(part, text)
        if span and not 0 <= span[0] <= span[-1] < _MOST_CPUS:
            raise StartError(f"--collector.perf.cpus: no such CPUs: {quote(part)}")
        cpus.update(dict.fromkeys(span))
    return list(cpus)


def _parse_span(part: str, text: str) -> range:
    if "-" not in part:
        cpu = _parse_number(part)
        return range(cpu, cpu + 1)
    ends, *strides = part.split(":")
    stride = _parse_number(strides[0]) if len(strides) == 1 else 1
    if stride <= 0:  # upstream would never come to an end
        raise StartError(f"invalid flag value {quote(text)}")
    try:
        first, last = ends.split("-")
    except ValueError:
        raise StartError(f"invalid flag value {quote(text)}") from None
    return range(_parse_number(first), _parse_number(last) + 1, stride)


def _parse_number(text: str) -> int:
    try:
        return parse_int(text)
    except ValueError as error:
        reason = str(error).replace("ParseInt", "Atoi", 1)  # Go's function for it
        raise StartError(reason) from error


COLLECTOR = CollectorSpec(
    "perf",
    create,
    default_enabled=False,
    flags=(
        CPUS,
        TRACEPOINT,
        NO_HARDWARE,
        HARDWARE,
        NO_SOFTWARE,
        SOFTWARE,
        NO_CACHE,
        CACHE,
    ),
)
