"""Every metric of the program, made once: configurations come and go beneath them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from .file_metrics import FileMeters
from .journal.metrics import JournalMeters
from .metrics import DockerMeters, ShipperMetrics
from .pipeline.metrics import PipelineMetrics
from .push.metrics import PushMeters
from .source import Target
from .spool.metrics import SpoolMeters
from .syslog.metrics import SyslogMeters


class Meters:
    """What each part counts with, all in one registry."""

    def __init__(self) -> None:
        self.shipper = ShipperMetrics()
        self.registry = self.shipper.registry
        self.pipelines = PipelineMetrics(self.registry)
        self.docker = DockerMeters(self.shipper)
        self.spool = SpoolMeters(self.registry)
        self.files = FileMeters(self.shipper)
        self.journal = JournalMeters(self.shipper)
        self.syslog = SyslogMeters(self.registry)
        self.push = PushMeters(self.registry)


class LagCollector(Collector):
    """How far behind each target is, asked when somebody scrapes."""

    def __init__(self, targets: Callable[[], Iterable[Target]]) -> None:
        self._targets = targets

    def describe(self) -> Iterable[Metric]:
        """Return nothing: what there is changes."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield ``shipper_lag_seconds``; of equal targets the one furthest behind."""
        family = GaugeMetricFamily(
            "shipper_lag_seconds",
            "Age of the oldest line that is read and not acknowledged, 0 without one.",
            labels=("job", "kind", "name"),
        )
        lags: dict[tuple[str, str, str], float] = {}
        for target in self._targets():
            if target.lag_seconds is not None:
                key = (target.job, target.kind, _text(target.name))
                lags[key] = max(target.lag_seconds, lags.get(key, 0.0))
        for key, seconds in sorted(lags.items()):
            family.add_metric(key, seconds)
        yield family
        yield GaugeMetricFamily(
            "shipper_oldest_unacknowledged_seconds",
            "Age of the oldest line of all that is read and not acknowledged, the "
            "spool included; 0 without one.",
            max(lags.values(), default=0.0),
        )


def _text(name: str) -> str:
    """Return *name*, a path perhaps, as a label value, which must be UTF-8."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
