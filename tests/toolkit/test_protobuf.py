from __future__ import annotations

import math
from typing import Any

from google.protobuf import text_format
from hypothesis import given, strategies as st
from prometheus_client import CollectorRegistry, Histogram, Metric, Summary
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    UnknownMetricFamily,
)

from exporters.toolkit import exposition, protobuf, prototext
from exporters.toolkit.escaping import Escaping

from .messages import FAMILY, read_delimited


def families(*metrics: Metric, escaping: Escaping = Escaping.UNDERSCORES) -> list[Any]:
    problems: list[str] = []
    data = protobuf.encode(metrics, problems.append, None, escaping)
    assert problems == []
    found = list(read_delimited(data))
    # Field by field as Go's library writes them, which Google's does, too.
    for family in found:
        size = family.ByteSize()
        assert family.SerializeToString(deterministic=True) in data
        assert size == len(family.SerializeToString())
    return found


def test_simple_kinds() -> None:
    gauge = GaugeMetricFamily("g", "Gauge\n.", labels=["z", "a"])
    gauge.add_metric(["1", ""], 0)
    counter = CounterMetricFamily("c", "C.", 5, created=12.25)
    found = families(gauge, counter, UnknownMetricFamily("u", "", -1))
    assert [text_format.MessageToString(one, as_one_line=True) for one in found] == [
        (
            'name: "c_total" help: "C." type: COUNTER metric { counter { value: 5.0'
            " created_timestamp { seconds: 12 nanos: 250000000 } } }"
        ),
        (
            'name: "g" help: "Gauge\\n." type: GAUGE metric {'
            ' label { name: "a" value: "" } label { name: "z" value: "1" }'
            " gauge { value: 0.0 } }"
        ),
        'name: "u" help: "" type: UNTYPED metric { untyped { value: -1.0 } }',
    ]


def test_groups() -> None:
    registry = CollectorRegistry()
    Histogram("h", "H.", ["l"], buckets=(1, 2.5), registry=registry).labels(
        "x"
    ).observe(2)
    Summary("s", "S.", registry=registry).observe(3)
    quantiles = Metric("q", "Q.", "summary")
    quantiles.add_sample("q_sum", {}, 3)
    quantiles.add_sample("q", {"quantile": "0.9"}, 2)
    quantiles.add_sample("q", {"quantile": "0.5"}, 1)
    quantiles.add_sample("q_count", {}, 2)
    histogram, many, summary = families(*registry.collect(), quantiles)
    (metric,) = histogram.metric
    assert [label.value for label in metric.label] == ["x"]
    buckets = [(b.upper_bound, b.cumulative_count) for b in metric.histogram.bucket]
    assert buckets == [(1, 0), (2.5, 1)]  # Go leaves the last one to the count
    assert (metric.histogram.sample_count, metric.histogram.sample_sum) == (1, 2)
    assert metric.histogram.created_timestamp.seconds > 1_700_000_000
    asked = [(q.quantile, q.value) for q in many.metric[0].summary.quantile]
    assert asked == [(0.5, 1), (0.9, 2)]
    assert summary.metric[0].summary.sample_sum == 3


def test_large_metrics_and_times() -> None:
    gauge = Metric("g", "G.", "gauge", unit="bytes")
    gauge.add_sample("g", {"l": "x" * 300}, 1, 1700000000.123)
    (family,) = families(gauge)
    assert family.metric[0].label[0].value == "x" * 300
    assert family.metric[0].timestamp_ms == 1700000000123
    assert family.unit == "bytes"


def test_bytes_that_are_not_utf_8_are_replaced() -> None:
    gauge = GaugeMetricFamily("g", "G.", labels=["l"])
    gauge.add_metric([b"a\xffb".decode("utf-8", "surrogateescape")], 1)
    (family,) = families(gauge)
    assert family.metric[0].label[0].value == "a\ufffdb"


def test_names_are_escaped_as_asked() -> None:
    metric = Metric("a.b", "H.", "gauge")
    metric.add_sample("a.b", {"c.d": "1"}, 1)
    for escaping, name, label in (
        (Escaping.UNDERSCORES, "a_b", "c_d"),
        (Escaping.UTF8, "a.b", "c.d"),
        (Escaping.VALUES, "U__a_2e_b", "U__c_2e_d"),
    ):
        (family,) = families(metric, escaping=escaping)
        assert (family.name, family.metric[0].label[0].name) == (name, label)


def test_duplicates_are_reported_in_words() -> None:
    gauge = GaugeMetricFamily("g", "G.", labels=["l"])
    gauge.add_metric(["x"], 1)
    histogram = HistogramMetricFamily("h", "H.", buckets=[("+Inf", 1.0)], sum_value=1)
    problems: list[str] = []
    data = protobuf.encode([gauge, gauge, histogram, histogram], problems.append)
    assert [len(family.metric) for family in read_delimited(data)] == [1, 1]
    assert problems == [
        (
            "collected metric g ('x',) was collected before with the same name and"
            " label values"
        ),
        (
            "collected metric h () was collected before with the same name and label"
            " values"
        ),
    ]


NAMES = st.from_regex(r"[a-z]{1,3}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
SAMPLES = st.lists(
    st.tuples(st.dictionaries(NAMES, TEXTS, max_size=3), st.floats()), min_size=1
)


@given(SAMPLES, st.sampled_from(["gauge", "counter", "unknown"]))
def test_the_metrics_are_those_of_the_text(
    samples: list[tuple[dict[str, str], float]], kind: str
) -> None:
    metric = Metric("m", "M.", kind)
    for labels, value in samples:
        metric.add_sample("m", labels, value)
    data = protobuf.encode([metric], lambda _: None)
    (family,) = read_delimited(data)
    field = {"unknown": "untyped"}.get(kind, kind)
    rebuilt = Metric("m", "M.", kind)
    for one in family.metric:
        labels = {label.name: label.value for label in one.label}
        rebuilt.add_sample("m", labels, getattr(one, field).value)
    assert exposition.encode([rebuilt]) == exposition.encode([metric])


def test_as_text() -> None:
    registry = CollectorRegistry()
    Histogram("h", "H.", buckets=(1, 2.5), registry=registry).observe(2)
    gauge = GaugeMetricFamily("g", 'G "\t\x01ä\\', labels=["l"])
    gauge.add_metric(["x\ny"], math.inf)
    gauge.add_metric(["z"], math.nan)
    stamped = Metric("t", "T.", "summary")
    stamped.add_sample("t_sum", {}, 2.5)
    stamped.add_sample("t_count", {}, 1)
    late = Metric("l", "L.", "gauge")
    late.add_sample("l", {}, 1, -1.5)
    metrics = [*registry.collect(), gauge, stamped, late]
    meant = families(*metrics)
    lines = prototext.encode(metrics, print).decode()
    compact = prototext.encode(metrics, print, compact=True).decode()
    assert "  gauge: {\n    value: inf\n  }\n" in lines
    assert 'metric:{label:{name:"l" value:"z"} gauge:{value:nan}}' in compact
    for shown in (lines.rstrip("\n").split("\n\n"), compact.rstrip("\n").split("\n")):
        read = [text_format.Parse(one, FAMILY()) for one in shown]
        assert [str(one) for one in read] == [str(one) for one in meant]
