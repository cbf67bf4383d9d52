"""What every panel with numbers has: title, description, unit, limits, links."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from grafana_foundation_sdk.builders import (
    bargauge,
    stat,
    statetimeline,
    table,
    timeseries,
)

from deploy.dashboards import queries
from deploy.dashboards.links import Link
from deploy.dashboards.queries import Query
from deploy.dashboards.thresholds import NEUTRAL, Limits


P = TypeVar(
    "P", stat.Panel, timeseries.Panel, bargauge.Panel, table.Panel, statetimeline.Panel
)


@dataclass(frozen=True, slots=True)
class Scale:
    """The unit of a panel's numbers, where they begin and end, and which are bad."""

    unit: str
    limits: Limits = NEUTRAL
    lowest: float | None = 0
    highest: float | None = None
    decimals: int | None = None


SHARE: Final = Scale("percentunit", highest=1)
COUNT: Final = Scale("short", decimals=0)
BYTES: Final = Scale("bytes")
REQUESTS: Final = Scale("reqps")


def dressed(
    panel: P, title: str, text: str, *, scale: Scale, targets: Sequence[Query], to: Link
) -> P:
    """Return *panel* with all that must not be missing; *to* is its values' link."""
    panel = panel.title(title).description(text).targets(list(targets))
    panel = panel.datasource(queries.source_of(targets)).data_links([to])
    panel = panel.unit(scale.unit).thresholds(scale.limits.build()).no_value("no data")
    if scale.lowest is not None:
        panel = panel.min(scale.lowest)
    if scale.highest is not None:
        panel = panel.max(scale.highest)
    if scale.decimals is not None:
        panel = panel.decimals(scale.decimals)
    return panel
