"""Turn what the pools said into metric families.

Counters have no ``_total`` in their names, so they are plain ``Metric`` objects:
CounterMetricFamily would rename them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from operator import attrgetter

from exporters.nginx.fpm.names import (
    CHILD_METRICS,
    POOL_METRICS,
    QUEUE_METRICS,
    SPELLINGS,
    STATES,
)
from exporters.nginx.fpm.status import Child, PoolStatus
from exporters.nginx.fpm.unix_queue import Queue
from exporters.nginx.metrics import Labels
from exporters.toolkit.metric import Metric


@dataclass(frozen=True, slots=True)
class Reading:
    """What one scrape learned of one pool; *status* is None if it could not be read.

    *pool* is its name as far as known, "" before the first answer. *failures* counts
    from the start of the exporter. *queue* is the unix socket's, None if not known.
    *const_labels* are those of ``--prometheus.const-label``.
    """

    uri: str
    pool: str
    failures: int
    status: PoolStatus | None
    queue: Queue | None = None
    const_labels: Labels = field(default_factory=dict)

    @property
    def labels(self) -> dict[str, str]:
        """Return the labels that all samples of the pool have."""
        return {**self.const_labels, "pool": self.pool, "scrape_uri": self.uri}


def fpm_metrics(readings: Iterable[Reading], *, processes: bool) -> list[Metric]:
    """Return the families of *readings*; those of the children only if *processes*.

    A pool that could not be read has ``phpfpm_up`` 0, ``phpfpm_scrape_failures`` and
    what the kernel says of its unix socket.
    """
    readings = list(readings)
    families = [_up(readings), _scrape_failures(readings)]
    families.extend(_pool_family(*spec, readings) for spec in POOL_METRICS)
    families.extend(_queue_family(*spec, readings) for spec in QUEUE_METRICS)
    if processes:
        children = list(_children(readings))
        families.extend(_child_family(*spec, children) for spec in CHILD_METRICS)
        families.append(_process_state(children))
    return [family for family in families if family]


def _up(readings: Iterable[Reading]) -> Metric:
    family = Metric("phpfpm_up", "Could PHP-FPM be reached?", "gauge")
    for reading in readings:
        up = 0 if reading.status is None else 1
        family.add_sample(family.name, reading.labels, up)
    return family


def _scrape_failures(readings: Iterable[Reading]) -> Metric:
    family = Metric(
        "phpfpm_scrape_failures",
        "The number of failures scraping from PHP-FPM.",
        "counter",
    )
    for reading in readings:
        family.add_sample(family.name, reading.labels, reading.failures)
    return family


def _pool_family(
    attribute: str, type_: str, help_: str, readings: Iterable[Reading]
) -> Metric:
    family = Metric(f"phpfpm_{attribute}", help_, type_)
    value_of = attrgetter(attribute)
    for reading in readings:
        value = None if reading.status is None else value_of(reading.status)
        if value is not None:
            family.add_sample(family.name, reading.labels, value)
    return family


def _queue_family(
    attribute: str, end: str, help_: str, readings: Iterable[Reading]
) -> Metric:
    family = Metric(f"phpfpm_socket_{end}", help_, "gauge")
    value_of = attrgetter(attribute)
    for reading in readings:
        if reading.queue is not None:
            family.add_sample(family.name, reading.labels, value_of(reading.queue))
    return family


def _children(readings: Iterable[Reading]) -> Iterator[tuple[dict[str, str], Child]]:
    # "child" is the place in the list, not the pid: a new pid makes no new series.
    for reading in readings:
        if reading.status is not None:
            for place, child in enumerate(reading.status.children):
                yield {**reading.labels, "child": str(place)}, child


def _child_family(
    attribute: str,
    type_: str,
    help_: str,
    children: Iterable[tuple[dict[str, str], Child]],
) -> Metric:
    family = Metric(f"phpfpm_process_{attribute}", help_, type_)
    value_of = attrgetter(attribute)
    for labels, child in children:
        value = value_of(child)
        if value is not None:
            family.add_sample(family.name, labels, value)
    return family


def _process_state(children: Iterable[tuple[dict[str, str], Child]]) -> Metric:
    family = Metric(
        "phpfpm_process_state",
        "The state of the process (Idle, Running, ...).",
        "gauge",
    )
    for labels, child in children:
        current = SPELLINGS.get(child.state, child.state)
        for state in dict.fromkeys((*STATES, current)):
            value = 1 if state == current else 0
            family.add_sample(family.name, {**labels, "state": state}, value)
    return family
