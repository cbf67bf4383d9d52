"""The metrics of the shipper as a table: from its own registries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from prometheus_client.metrics import MetricWrapperBase

from exporters.toolkit import selfmetrics
from exporters.toolkit.exposed import Exposed
from exporters.toolkit.metric import Metric
from shipper.instrument import HttpMetrics
from shipper.meters import LagCollector, Meters
from shipper.pipeline.custom_metrics import CustomMetrics, Vector


OURS: Final = "shipper_"


class Family(NamedTuple):
    """One metric: its name as it is exposed, and the names of its labels."""

    name: str
    type: str
    labels: tuple[str, ...]
    help: str

    @property
    def origin(self) -> str:
        """Return whose name it is."""
        return "ours" if self.name.startswith(OURS) else "promtail"


def table() -> Iterator[str]:
    """Yield the rows of the table, by name."""
    yield "| metric | type | labels | whose | HELP |"
    yield "|---|---|---|---|---|"
    for one in sorted(all_families()):
        labels = ", ".join(f"`{name}`" for name in one.labels)
        text = one.help.replace("|", r"\|")
        yield f"| `{one.name}` | {one.type} | {labels} | {one.origin} | {text} |"


def all_families() -> list[Family]:
    """Return what `/metrics` can show, but for what users define.

    ``process_*`` is left out as well: what there is of it the kernel decides.
    """
    meters = Meters()
    HttpMetrics(meters.registry, lambda: 0)
    meters.registry.register(LagCollector(list))
    found = {
        family.name: family
        for collector in _collectors(meters)
        for family in _families(collector)
    }
    folded = Vector[Any]("any", "counter", "", lambda: 0.0)
    folded.folded = 1
    own = [family for family in CustomMetrics([folded]).collect()
           if family.name.startswith(OURS)]  # fmt: skip
    toolkit: list[Metric] = [
        selfmetrics.build_info("promtail"),
        *selfmetrics.HandlerMetrics().collect(),
    ]
    found |= {one.name: one for one in _plain([*own, *toolkit])}
    return list(found.values())


def _collectors(meters: Meters) -> Iterable[Any]:
    # prometheus_client has no way to ask a registry what is in it.
    return list(meters.registry._collector_to_names)  # noqa: SLF001


def _families(collector: Any) -> Iterator[Family]:
    if not isinstance(collector, MetricWrapperBase):
        yield from _plain(collector.collect())
        return
    (metric,) = collector.collect()
    yield _family(metric, collector._labelnames)  # noqa: SLF001


def _plain(metrics: Iterable[Exposed]) -> Iterator[Family]:
    for metric in metrics:
        labels = {name for sample in metric.samples for name in sample.labels}
        declared = getattr(metric, "_labelnames", None)
        if isinstance(metric, Metric):
            declared = metric.label_names
        yield _family(metric, declared or tuple(sorted(labels)))


def _family(metric: Exposed, labels: Iterable[str]) -> Family:
    is_counter = metric.type == "counter" and not metric.name.endswith("_total")
    name = f"{metric.name}_total" if is_counter else metric.name
    return Family(name, metric.type, tuple(labels), metric.documentation)
