"""What the exporter says at /metrics of the probes it was asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from exporters.nginx.probe.errors import REASONS
from exporters.toolkit.metric import CounterMetricFamily, GaugeMetricFamily, Metric


class ProbeCounts:
    """Count probes by module and result, and refusals by reason."""

    def __init__(self, modules: Iterable[str]) -> None:
        self._made = {(name, up): 0 for name in modules for up in (True, False)}
        self._refused = dict.fromkeys(REASONS, 0)
        self.in_flight = 0

    @contextmanager
    def probing(self) -> Iterator[None]:
        """Count one probe as under way."""
        self.in_flight += 1
        try:
            yield
        finally:
            self.in_flight -= 1

    def made(self, module: str, *, success: bool) -> None:
        """Count one probe that was made."""
        self._made[module, success] += 1

    def refused(self, reason: str) -> None:
        """Count one that was not."""
        self._refused[reason] += 1

    async def collect(self, _: float | None) -> list[Metric]:
        """Return the families; nothing is waited for."""
        made = CounterMetricFamily(
            "nginx_exporter_probes",
            "Probes made, by module and result.",
            labels=["module", "result"],
        )
        for (module, up), count in self._made.items():
            made.add_metric([module, "success" if up else "failure"], count)
        refused = CounterMetricFamily(
            "nginx_exporter_probes_refused",
            "Probes not made, by reason.",
            labels=["reason"],
        )
        for reason, count in self._refused.items():
            refused.add_metric([reason], count)
        in_flight = GaugeMetricFamily(
            "nginx_exporter_probes_in_flight", "Probes under way.", self.in_flight
        )
        return [made, refused, in_flight]
