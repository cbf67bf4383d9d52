"""The frame of a dashboard: its name, times, variables, links and annotations."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from string import ascii_uppercase

from grafana_foundation_sdk.builders.dashboard import Dashboard, Row, TimePicker
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard, loki, prometheus
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync

from deploy.dashboards import events, links, uids, variables
from deploy.dashboards.variables import Variable


Panel = Builder[dashboard.Panel]
Section = tuple[str, Sequence[Panel]]


def page(
    uid: str, text: str, choices: Sequence[Variable], sections: Sequence[Section]
) -> dashboard.Dashboard:
    """Return the dashboard *uid* with its *sections*, each a title and its panels."""
    board = Dashboard(uids.TITLES[uid]).uid(uid).description(text).tags(["stack"])
    board = board.time("now-1h", "now").refresh("30s").timezone("browser")
    board = board.timepicker(TimePicker().refresh_intervals(["10s", "30s", "1m", "5m"]))
    board = board.tooltip(DashboardCursorSync.CROSSHAIR).editable()
    board = board.variables([*variables.sources(), *choices]).links(links.bar(uid))
    board = board.annotations(events.all_events())
    for title, panels in sections:
        board = board.with_row(Row(title))
        for panel in panels:
            # A copy gets its place and number: what a module holds stays as it is.
            board = board.with_panel(deepcopy(panel))
    return numbered(board.build())


def numbered(board: dashboard.Dashboard) -> dashboard.Dashboard:
    """Give each panel and each query the name that Grafana would give it."""
    for number, panel in enumerate(board.panels or [], start=1):
        panel.id_val = number
        if isinstance(panel, dashboard.Panel):
            name_queries(panel)
    return board


def name_queries(panel: dashboard.Panel) -> None:
    """Give the queries of *panel* the letters A, B, C and so on."""
    for target, letter in zip(panel.targets or [], ascii_uppercase, strict=False):
        if isinstance(target, loki.Dataquery | prometheus.Dataquery):
            target.ref_id = letter
