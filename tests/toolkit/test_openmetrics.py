from __future__ import annotations

from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram, Metric
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    UnknownMetricFamily,
)
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from exporters.toolkit import exposition, openmetrics
from exporters.toolkit.escaping import Escaping


def text(*metrics: Metric, escaping: Escaping = Escaping.UNDERSCORES) -> str:
    problems: list[str] = []
    printed = openmetrics.encode(metrics, problems.append, None, escaping).decode()
    assert problems == []
    return printed


def untotalled(name: str) -> Metric:
    metric = Metric(name, "A counter that is not called so.", "counter")
    metric.add_sample(name, {}, 3)
    return metric


@pytest.mark.parametrize(
    ("metric", "lines"),
    [
        (
            GaugeMetricFamily("node_load1", '1m "load".', 0.25),
            (
                '# HELP node_load1 1m \\"load\\".\n'
                "# TYPE node_load1 gauge\nnode_load1 0.25\n"
            ),
        ),
        (
            CounterMetricFamily("a", "A.", 5, created=12.5),
            "# HELP a A.\n# TYPE a counter\na_total 5.0\n",
        ),
        (
            untotalled("nginx_connections_accepted"),
            (
                "# HELP nginx_connections_accepted A counter that is not called so.\n"
                "# TYPE nginx_connections_accepted unknown\n"
                "nginx_connections_accepted 3.0\n"
            ),
        ),
        (
            UnknownMetricFamily("u", "U.", 1e6),
            "# HELP u U.\n# TYPE u unknown\nu 1e+06\n",
        ),
        (
            InfoMetricFamily("i", "I.", {"v": "1"}),
            '# HELP i_info I.\n# TYPE i_info gauge\ni_info{v="1"} 1.0\n',
        ),
        (
            GaugeMetricFamily("x_seconds", "X.", -2, unit="seconds"),
            (
                "# HELP x_seconds X.\n# TYPE x_seconds gauge\n"
                "# UNIT x_seconds seconds\nx_seconds -2.0\n"
            ),
        ),
        (
            GaugeMetricFamily("n", "N.", float("nan")),
            "# HELP n N.\n# TYPE n gauge\nn NaN\n",
        ),
        (
            GaugeMetricFamily("n", "N.", float("-inf")),
            "# HELP n N.\n# TYPE n gauge\nn -Inf\n",
        ),
    ],
)
def test_family(metric: Metric, lines: str) -> None:
    assert text(metric) == lines + "# EOF\n"


def test_nothing_ends_too() -> None:
    assert text() == "# EOF\n"


def test_counts_are_whole_and_bounds_are_floats() -> None:
    registry = CollectorRegistry()
    Histogram("h", "H.", buckets=(1, 2.5), registry=registry).observe(2)
    summary = Metric("s", "S.", "summary")
    summary.add_sample("s", {"quantile": "1"}, 2)
    summary.add_sample("s_sum", {}, 3)
    summary.add_sample("s_count", {}, 2)
    assert text(*registry.collect(), summary) == (
        "# HELP h H.\n# TYPE h histogram\n"
        'h_bucket{le="1.0"} 0\nh_bucket{le="2.5"} 1\nh_bucket{le="+Inf"} 1\n'
        "h_sum 2.0\nh_count 1\n"
        "# HELP s S.\n# TYPE s summary\n"
        's{quantile="1.0"} 2.0\ns_sum 3.0\ns_count 2\n# EOF\n'
    )


def test_timestamps_are_seconds() -> None:
    metric = Metric("g", "G.", "gauge")
    metric.add_sample("g", {}, 1, 123.5)
    assert text(metric).endswith("g 1.0 123.5\n# EOF\n")


def test_a_counter_beside_a_gauge_of_its_name_stays_apart() -> None:
    printed = text(CounterMetricFamily("a", "A.", 5), GaugeMetricFamily("a", "G.", 1))
    assert "# TYPE a gauge\n" in printed
    assert "# TYPE a_total unknown\na_total 5.0\n" in printed
    parse: Any = text_string_to_metric_families
    assert len(list(parse(printed))) == 2


@pytest.mark.parametrize(
    ("escaping", "line"),
    [
        (Escaping.UNDERSCORES, 'a_b_total{c_d="1"} 1.0\n'),
        (Escaping.UTF8, '{"a.b_total","c.d"="1"} 1.0\n'),
    ],
)
def test_names_are_escaped_as_asked(escaping: Escaping, line: str) -> None:
    metric = Metric("a.b", "H.", "counter")
    metric.add_sample("a.b_total", {"c.d": "1"}, 1)
    assert line in text(metric, escaping=escaping)


def test_the_series_are_those_of_the_other_text() -> None:
    registry = CollectorRegistry()
    Counter("c", "C.", ["l"], registry=registry).labels("x").inc()
    metrics = [
        *registry.collect(),
        untotalled("accepted"),
        InfoMetricFamily("i", "I.", {"v": "1"}),
        UnknownMetricFamily("u", "U.", 7),
    ]
    plain = exposition.encode(metrics).decode()
    both = [
        [line.rpartition(" ")[0] for line in lines.splitlines() if line[0] != "#"]
        for lines in (plain, text(*metrics))
    ]
    assert both[0] == both[1]
    assert len(both[0]) == 4
