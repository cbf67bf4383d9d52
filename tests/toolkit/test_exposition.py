from __future__ import annotations

import math

import pytest
from hypothesis import given, strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram, Metric, Summary
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    SummaryMetricFamily,
    UnknownMetricFamily,
)
from prometheus_client.parser import text_string_to_metric_families

from exporters.toolkit.exposition import encode


def text(*metrics: Metric) -> str:
    return encode(metrics).decode()


def test_families_samples_and_labels_are_sorted() -> None:
    b = GaugeMetricFamily("b", "B.", labels=["z", "a"])
    b.add_metric(["2", "10"], 1)
    b.add_metric(["1", "9"], 2)
    b.add_metric(["1", "10"], 3)
    mixed = Metric("a", "A.", "gauge")
    mixed.add_sample("a", {"x": "1", "y": "1"}, 1)
    mixed.add_sample("a", {"z": "0"}, 2)
    mixed.add_sample("a", {}, 3)
    assert text(b, mixed) == (
        "# HELP a A.\n# TYPE a gauge\n"
        'a 3\na{z="0"} 2\na{x="1",y="1"} 1\n'
        "# HELP b B.\n# TYPE b gauge\n"
        'b{a="10",z="1"} 3\nb{a="10",z="2"} 1\nb{a="9",z="1"} 2\n'
    )


def test_counters_with_and_without_total() -> None:
    without = Metric("nginx_connections_accepted", "Accepted.", "counter")
    without.add_sample("nginx_connections_accepted", {}, 7)
    assert text(CounterMetricFamily("b", "B.", 1), without) == (
        "# HELP b_total B.\n# TYPE b_total counter\nb_total 1\n"
        "# HELP nginx_connections_accepted Accepted.\n"
        "# TYPE nginx_connections_accepted counter\n"
        "nginx_connections_accepted 7\n"
    )


def test_a_counter_may_be_called_created() -> None:
    registry = CollectorRegistry()
    Counter("jobs_created", "Jobs.", registry=registry).inc()
    plain = Metric("files_created", "Files.", "counter")
    plain.add_sample("files_created", {}, 2)
    assert text(*registry.collect(), plain) == (
        "# HELP files_created Files.\n# TYPE files_created counter\nfiles_created 2\n"
        "# HELP jobs_created_total Jobs.\n# TYPE jobs_created_total counter\n"
        "jobs_created_total 1\n"
    )


def test_created_is_not_printed_but_a_gauge_may_be_called_so() -> None:
    registry = CollectorRegistry()
    Counter("c", "C.", registry=registry).inc()
    Summary("s", "S.", registry=registry).observe(2)
    Histogram("h", "H.", buckets=(1, 2.5), registry=registry).observe(2)
    printed = text(*registry.collect(), GaugeMetricFamily("file_created", "F.", 1))
    assert printed == (
        "# HELP c_total C.\n# TYPE c_total counter\nc_total 1\n"
        "# HELP file_created F.\n# TYPE file_created gauge\nfile_created 1\n"
        "# HELP h H.\n# TYPE h histogram\n"
        'h_bucket{le="1"} 0\nh_bucket{le="2.5"} 1\nh_bucket{le="+Inf"} 1\n'
        "h_sum 2\nh_count 1\n"
        "# HELP s S.\n# TYPE s summary\ns_sum 2\ns_count 1\n"
    )


def test_histogram_groups_and_le_comes_last() -> None:
    histogram = HistogramMetricFamily("h", "H.", labels=["zone"])
    for zone in ("b", "a"):
        buckets = [("10.0", 2.0), ("2.0", 1.0), ("+Inf", 3.0)]
        histogram.add_metric([zone], buckets, sum_value=1e6)
    assert text(histogram) == (
        "# HELP h H.\n# TYPE h histogram\n"
        + "".join(
            f'h_bucket{{zone="{zone}",le="2"}} 1\n'
            f'h_bucket{{zone="{zone}",le="10"}} 2\n'
            f'h_bucket{{zone="{zone}",le="+Inf"}} 3\n'
            f'h_sum{{zone="{zone}"}} 1e+06\n'
            f'h_count{{zone="{zone}"}} 3\n'
            for zone in "ab"
        )
    )


def test_summary_quantiles() -> None:
    summary = Metric("s", "S.", "summary")
    summary.add_sample("s_sum", {}, 3)
    summary.add_sample("s", {"quantile": "0.99"}, 2)
    summary.add_sample("s", {"quantile": "0.5"}, 1)
    summary.add_sample("s_count", {}, 2)
    assert text(summary).endswith(
        's{quantile="0.5"} 1\ns{quantile="0.99"} 2\ns_sum 3\ns_count 2\n'
    )


def test_info_and_untyped() -> None:
    info = InfoMetricFamily("i", "I.", {"b": "2", "a": "1"})
    assert text(info, UnknownMetricFamily("u", "U.", 1)) == (
        '# HELP i_info I.\n# TYPE i_info gauge\ni_info{a="1",b="2"} 1\n'
        "# HELP u U.\n# TYPE u untyped\nu 1\n"
    )


def test_escapes() -> None:
    gauge = GaugeMetricFamily("g", 'a\\b\n"q"', labels=["l", "m"])
    gauge.add_metric(['\\ \n "', "%s"], 1)
    assert text(gauge) == (
        '# HELP g a\\\\b\\n"q"\n# TYPE g gauge\ng{l="\\\\ \\n \\"",m="%s"} 1\n'
    )


def test_names_are_made_legal() -> None:
    metric = Metric("a_b", "H.", "gauge")
    metric.add_sample("a_b", {"bad-label": "1", "1st": "2"}, 1)
    assert text(metric).endswith('a_b{_st="2",bad_label="1"} 1\n')


def test_bytes_that_are_not_utf_8_are_replaced() -> None:
    gauge = GaugeMetricFamily("g", "G.", labels=["l"])
    gauge.add_metric([b"a\xffb".decode("utf-8", "surrogateescape")], 1)
    assert encode([gauge]).endswith('g{l="a\ufffdb"} 1\n'.encode())


def test_timestamps() -> None:
    metric = Metric("g", "G.", "gauge")
    metric.add_sample("g", {}, 1, 1700000000.123)
    assert text(metric).endswith("g 1 1700000000123\n")


def test_families_without_samples_are_left_out() -> None:
    assert encode([GaugeMetricFamily("g", "G.", labels=["l"])]) == b""


def test_families_of_one_name_are_merged() -> None:
    first = GaugeMetricFamily("g", "G.", labels=["l"])
    first.add_metric(["b"], 1)
    second = GaugeMetricFamily("g", "G.", labels=["l"])
    second.add_metric(["a"], 2)
    assert text(first, second).endswith('# TYPE g gauge\ng{l="a"} 2\ng{l="b"} 1\n')


@pytest.mark.parametrize(
    ("second", "problem"),
    [
        (GaugeMetricFamily("g", "G.", 2), "g was collected before with the same name"),
        (GaugeMetricFamily("g", "Other.", 2), "has help 'Other.' but should have 'G.'"),
        (UnknownMetricFamily("g", "G.", 2), "is a untyped but should be a gauge"),
    ],
)
def test_conflicts_are_dropped_and_reported(second: Metric, problem: str) -> None:
    problems: list[str] = []
    metrics = [GaugeMetricFamily("g", "G.", 1), second, GaugeMetricFamily("z", "Z.", 1)]
    printed = encode(metrics, problems.append).decode()
    assert printed == (
        "# HELP g G.\n# TYPE g gauge\ng 1\n# HELP z Z.\n# TYPE z gauge\nz 1\n"
    )
    assert len(problems) == 1
    assert problem in problems[0]


def test_duplicates_are_seen_whatever_the_order_of_labels() -> None:
    metric = Metric("g", "G.", "gauge")
    metric.add_sample("g", {"a": "1", "b": "2"}, 1)
    metric.add_sample("g", {"b": "2", "a": "1"}, 2)
    metric.add_sample("g", {"a": "2", "b": "1"}, 3)
    problems: list[str] = []
    printed = encode([metric], problems.append).decode()
    assert printed.endswith('gauge\ng{a="1",b="2"} 1\ng{a="2",b="1"} 3\n')
    assert len(problems) == 1


def test_duplicate_in_a_histogram_is_reported() -> None:
    histogram = HistogramMetricFamily("h", "H.", buckets=[("+Inf", 1.0)], sum_value=1)
    problems: list[str] = []
    encode([histogram, histogram], problems.append)
    assert len(problems) == 1
    summary = SummaryMetricFamily("s", "S.", count_value=1, sum_value=1)
    summary.add_sample("s_sum", {}, 9)
    printed = encode([summary], problems.append).decode()
    assert "s_sum 1\n" in printed
    assert len(problems) == 2


def test_only_some_names() -> None:
    metrics = [GaugeMetricFamily(name, "H.", 1) for name in "abc"]
    assert b"# TYPE b" in encode(metrics, names=["b", "nope"])
    assert b"# TYPE a" not in encode(metrics, names=["b", "nope"])


NAMES = st.from_regex(r"[a-z]{1,3}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"))
LABELS = st.dictionaries(NAMES, TEXTS, max_size=3)


@given(st.lists(st.tuples(LABELS, st.floats()), min_size=1, max_size=8))
def test_what_is_printed_is_what_was_meant(
    samples: list[tuple[dict[str, str], float]],
) -> None:
    metric = Metric("g", "G.", "gauge")
    meant: dict[frozenset[tuple[str, str]], float] = {}
    for labels, value in samples:
        metric.add_sample("g", labels, value)
        meant.setdefault(frozenset(labels.items()), value)
    (family,) = text_string_to_metric_families(encode([metric]).decode())
    read = {frozenset(s.labels.items()): s.value for s in family.samples}
    assert read.keys() == meant.keys()
    for key, value in meant.items():
        assert read[key] == value or math.isnan(value)
