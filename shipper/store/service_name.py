"""service_name, the label that Loki gives streams that have none.

Counterpart of pkg/loghttp/push/push.go ParseLokiRequest (3.4).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from shipper.pipeline.entry import Labels
from shipper.store.model import SERVICE_NAME


UNKNOWN_SERVICE: Final = "unknown_service"
DISCOVER_SERVICE_NAME: Final = (
    "service", "app", "application", "app_name", "name", "app_kubernetes_io_name",
    "container", "container_name", "k8s_container_name", "component", "workload", "job",
    "k8s_job_name",
)  # fmt: skip
"""Loki's validation.discover-service-name (pkg/validation/limits.go, 3.4)."""


def with_service_name(labels: Labels, sources: Sequence[str]) -> Labels:
    """Return *labels* with service_name taken from the first of *sources* that is set.

    Unchanged where the label exists or *sources* is empty; else unknown_service when
    none is set.
    """
    present = dict(labels)
    if SERVICE_NAME in present or not sources:
        return labels
    found = next(
        (present[name] for name in sources if name in present), UNKNOWN_SERVICE
    )
    return tuple(sorted((*labels, (SERVICE_NAME, found))))
