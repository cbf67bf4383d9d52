"""What happened, drawn into every graph: alerts, restarts and deploys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from grafana_foundation_sdk.builders.dashboard import (
    AnnotationQuery as AnnotationBuilder,
    AnnotationTarget,
)
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import AnnotationQuery

from deploy.dashboards import queries


ALERTS: Final = 'ALERTS{alertstate="firing",severity=~"critical|warning"}'
RESTARTS: Final = "process_start_time_seconds > time() - 180"
# The services say nothing of their start: their counters begin anew.
RESETS: Final = (
    "resets(nginx_connections_accepted[3m]) > 0"
    " or resets(phpfpm_start_since[3m]) > 0"
    " or resets(mysql_global_status_uptime[3m]) > 0"
)


class PrometheusAnnotation(AnnotationQuery):
    """An annotation with the keys that Prometheus' data source adds."""

    def __init__(self, name: str, expr: str, color: str, title: str, text: str) -> None:
        super().__init__(
            name=name, datasource=queries.PROMETHEUS, icon_color=color, expr=expr
        )
        self._texts = {"titleFormat": title, "textFormat": text, "step": "60s"}

    def to_json(self) -> dict[str, object]:
        """Return the keys of the model, and those of the data source."""
        return super().to_json() | self._texts


@dataclass(frozen=True, slots=True)
class Ready(Builder[AnnotationQuery]):
    """Something already built, where the SDK wants a builder."""

    annotation: AnnotationQuery

    def build(self) -> AnnotationQuery:
        """Return it."""
        return self.annotation


EVENTS: Final = (
    PrometheusAnnotation(
        "Alerts", ALERTS, "red", "{{alertname}}", "{{severity}} {{job}} {{instance}}"
    ),
    PrometheusAnnotation(
        "Restarts", RESTARTS, "orange", "{{job}} started", "{{instance}}"
    ),
    PrometheusAnnotation(
        "Service restarts", RESETS, "yellow", "started, says {{job}}", "{{pool}}"
    ),
)


def all_events() -> list[Builder[AnnotationQuery]]:
    """Return what every dashboard draws; each can be switched off at the top."""
    return [*(Ready(event) for event in EVENTS), deploys()]


def deploys() -> Builder[AnnotationQuery]:
    """Return the annotations that a deployment posts to Grafana, tagged `deploy`."""
    target = (
        AnnotationTarget().type("tags").tags(["deploy"]).limit(100).match_any(False)
    )
    annotation = AnnotationBuilder().name("Deploys").datasource(queries.GRAFANA)
    return annotation.icon_color("blue").enable(True).target(target)
