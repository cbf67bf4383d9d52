"""Sessions of systemd-logind, over D-Bus (collector/logind_linux.go)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.node.services.logind_sessions import CLASSES, REMOTES, TYPES, Session
from exporters.toolkit.metric import GaugeMetricFamily, Metric


def create(_: Context) -> Collect:
    """Return the collector."""
    # jeepney, which is behind it, is only for who has this collector.
    from exporters.node.services import logind  # noqa: PLC0415

    def collect() -> Iterator[Metric]:
        seats, sessions = logind.ask()
        yield sessions_family(seats, sessions)

    return collect


def sessions_family(seats: Sequence[str], sessions: Mapping[Session, int]) -> Metric:
    """Return how many *sessions* there are of each kind there can be at *seats*."""
    family = GaugeMetricFamily(
        "node_logind_sessions",
        "Number of sessions registered in logind.",
        labels=("seat", "remote", "type", "class"),
    )
    for kind in map(Session._make, product(seats, REMOTES, TYPES, CLASSES)):
        family.add_metric(kind, sessions.get(kind, 0))
    return family


COLLECTOR = CollectorSpec("logind", create, default_enabled=False)
