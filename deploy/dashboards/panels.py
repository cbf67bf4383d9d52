"""The kinds of panels, each with one look on all dashboards."""

from __future__ import annotations

from grafana_foundation_sdk.builders import (
    bargauge,
    logs,
    stat,
    statetimeline,
    timeseries,
)
from grafana_foundation_sdk.builders.common import (
    GraphThresholdsStyleConfig,
    ReduceDataOptions,
    StackingConfig,
    VizLegendOptions,
    VizTooltipOptions,
)
from grafana_foundation_sdk.builders.dashboard import FieldColor
from grafana_foundation_sdk.models.common import (
    BarGaugeDisplayMode,
    BarGaugeValueMode,
    BigValueColorMode,
    BigValueGraphMode,
    GraphDrawStyle,
    GraphThresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    LogsSortOrder,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import (
    DynamicConfigValue,
    FieldColorModeId,
)

from deploy.dashboards import queries
from deploy.dashboards.dress import Scale, dressed
from deploy.dashboards.links import Link
from deploy.dashboards.queries import Query
from deploy.dashboards.thresholds import NEUTRAL, ONE_IS_GOOD, up_or_down


COLORS = {"2xx": "green", "3xx": "blue", "4xx": "orange", "5xx": "red"}


def number(
    title: str, text: str, scale: Scale, *targets: Query, to: Link
) -> stat.Panel:
    """Return each series' value at the end of the time, large.

    *targets* ask at that moment: of a range the last value that there was would stay,
    as if nothing were wrong, when no more come.
    """
    panel = dressed(stat.Panel(), title, text, scale=scale, targets=targets, to=to)
    panel = panel.reduce_options(newest()).graph_mode(BigValueGraphMode.NONE)
    return panel.color_mode(BigValueColorMode.VALUE).height(4).span(4)


def state(title: str, text: str, *targets: Query, to: Link) -> stat.Panel:
    """Return UP or DOWN, on a coloured ground, also where there is no sample."""
    scale = Scale("none", ONE_IS_GOOD, highest=1)
    panel = dressed(stat.Panel(), title, text, scale=scale, targets=targets, to=to)
    panel = panel.reduce_options(newest()).graph_mode(BigValueGraphMode.NONE)
    panel = panel.mappings(up_or_down()).no_value("NO DATA")
    return panel.color_mode(BigValueColorMode.BACKGROUND).height(4).span(4)


def newest() -> ReduceDataOptions:
    """Return the choice of the last value, which may be that there is none."""
    return ReduceDataOptions().values(False).calcs(["last"]).fields("")


def graph(
    title: str, text: str, scale: Scale, *targets: Query, to: Link
) -> timeseries.Panel:
    """Return lines over time, with the limits as dashed lines."""
    panel = dressed(
        timeseries.Panel(), title, text, scale=scale, targets=targets, to=to
    )
    panel = panel.legend(legend()).tooltip(tooltip()).fill_opacity(10).line_width(1)
    panel = panel.show_points(VisibilityMode.NEVER).axis_soft_min(0).height(8).span(12)
    if scale.limits is not NEUTRAL:
        style = GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.DASHED)
        panel = panel.thresholds_style(style)
    return panel.color_scheme(FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC))


def stacked(
    title: str, text: str, scale: Scale, *targets: Query, to: Link
) -> timeseries.Panel:
    """Return parts of a whole over time, one upon the other."""
    panel = graph(title, text, scale, *targets, to=to).fill_opacity(40)
    return panel.stacking(StackingConfig().mode(StackingMode.NORMAL).group("A"))


def histogram(
    title: str, text: str, scale: Scale, *targets: Query, to: Link
) -> timeseries.Panel:
    """Return counts over time as stacked columns."""
    panel = stacked(title, text, scale, *targets, to=to).fill_opacity(80)
    return panel.draw_style(GraphDrawStyle.BARS).line_width(0)


def bars(
    title: str, text: str, scale: Scale, *targets: Query, to: Link
) -> bargauge.Panel:
    """Return a bar for each series, as it is at the end of the time."""
    panel = dressed(bargauge.Panel(), title, text, scale=scale, targets=targets, to=to)
    panel = panel.orientation(VizOrientation.HORIZONTAL).reduce_options(newest())
    panel = panel.display_mode(BarGaugeDisplayMode.BASIC).height(8).span(12)
    return panel.value_mode(BarGaugeValueMode.TEXT).show_unfilled(True)


def timeline(title: str, text: str, *targets: Query, to: Link) -> statetimeline.Panel:
    """Return a band for each series that shows when it was up and when not."""
    scale = Scale("none", ONE_IS_GOOD, highest=1)
    panel = dressed(
        statetimeline.Panel(), title, text, scale=scale, targets=targets, to=to
    )
    panel = panel.mappings(up_or_down()).show_value(VisibilityMode.NEVER)
    panel = panel.color_scheme(FieldColor().mode(FieldColorModeId.THRESHOLDS))
    panel = panel.legend(legend()).tooltip(tooltip()).row_height(0.8)
    return panel.merge_values(True).height(8).span(12)


def lines(title: str, text: str, *targets: Query) -> logs.Panel:
    """Return log lines, newest first."""
    panel = logs.Panel().title(title).description(text).targets(list(targets))
    panel = panel.datasource(queries.LOKI).sort_order(LogsSortOrder.DESCENDING)
    panel = panel.show_time(True).wrap_log_message(True).enable_log_details(True)
    return panel.show_log_context_toggle(True).height(10).span(24)


def legend() -> VizLegendOptions:
    """Return a table below the graph with the newest and the highest value."""
    options = VizLegendOptions().display_mode(LegendDisplayMode.TABLE)
    options = options.placement(LegendPlacement.BOTTOM).show_legend(True)
    return options.calcs(["lastNotNull", "mean", "max"])


def tooltip() -> VizTooltipOptions:
    """Return one tooltip for all lines, the highest first."""
    return VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING)


def colored(panel: timeseries.Panel, colors: dict[str, str]) -> timeseries.Panel:
    """Return *panel* with a fixed color for each of some series, by name."""
    for name, color in colors.items():
        fixed = {"mode": "fixed", "fixedColor": color}
        value = DynamicConfigValue(id_val="color", value=fixed)
        panel = panel.override_by_name(name, [value])
    return panel
