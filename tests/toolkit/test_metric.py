"""Metric families of our own, beside those of prometheus_client."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import prometheus_client
import pytest
from hypothesis import given, strategies as st
from prometheus_client import core

from exporters.toolkit import metric
from exporters.toolkit.encoders import encoder
from exporters.toolkit.escaping import Escaping
from exporters.toolkit.exposed import Exposed, check, printable
from exporters.toolkit.metric import (
    CounterMetricFamily,
    GaugeMetricFamily,
    Metric,
    UntypedMetricFamily,
)
from exporters.toolkit.negotiation import Kind


OURS: dict[str, Any] = {
    "gauge": GaugeMetricFamily,
    "counter": CounterMetricFamily,
    "unknown": UntypedMetricFamily,
}
THEIRS: dict[str, Any] = {
    "gauge": core.GaugeMetricFamily,
    "counter": core.CounterMetricFamily,
    "unknown": core.UntypedMetricFamily,
}


def seen(family: Exposed) -> tuple[Any, ...]:
    """Return what the encoders see of *family*."""
    samples = [(s.name, dict(s.labels), s.value, s.timestamp) for s in family.samples]
    return family.name, family.documentation, family.type, family.unit, samples


@pytest.mark.parametrize("kind", OURS)
@pytest.mark.parametrize("name", ["a", "a_total", "a_bytes"])
@pytest.mark.parametrize("unit", ["", "bytes"])
def test_constructors_are_those_of_prometheus_client(
    kind: str, name: str, unit: str
) -> None:
    for how in ({"value": 3}, {"labels": ["x"]}, {}):
        ours, theirs = (
            new[kind](name, "A.", unit=unit, **how) for new in (OURS, THEIRS)
        )
        assert seen(ours) == seen(theirs)


@pytest.mark.parametrize("kind", OURS)
def test_metrics_are_added_as_to_prometheus_clients(kind: str) -> None:
    families = [new("a", "A.", labels=("x", "y")) for new in (OURS[kind], THEIRS[kind])]
    for family in families:
        family.add_metric(["1", "2"], 5)
        family.add_metric(("3", "4"), 6.5)
        family.add_metric(["short"], 7)
    ours, theirs = map(seen, families)
    assert ours == theirs


def test_a_counter_says_since_when() -> None:
    families = [
        new("a", "A.", labels=["x"]) for new in (OURS["counter"], THEIRS["counter"])
    ]
    for family in families:
        family.add_metric(["1"], 5, created=100.5)
    ours, theirs = map(seen, families)
    assert ours == theirs


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: Metric("", "", "gauge"), "metric name cannot be empty"),
        (lambda: Metric("a", "", "number"), "Invalid metric type: number"),
        (lambda: Metric("a\udcff", "", "gauge"), "surrogates not allowed"),
        (lambda: GaugeMetricFamily("a", "", 1, ["x"]), "at most one of value"),
    ],
)
def test_what_is_refused(make: Callable[[], object], error: str) -> None:
    with pytest.raises(ValueError, match=error):
        make()


def test_untyped_is_unknown() -> None:
    assert Metric("a", "", "untyped").type == "unknown"
    assert seen(Metric("a", "", "gauge", "bytes"))[0] == "a_bytes"


def test_samples_of_any_name_labels_and_time_have_a_place() -> None:
    ours = Metric("a", "A.", "histogram")
    theirs = prometheus_client.Metric("a", "A.", "histogram")
    for family in (ours, theirs):
        family.add_sample("a", {"x": "1"}, 1)
        family.add_sample("a", {"x": "2"}, 2)
        family.add_sample("a_sum", {"x": "1"}, 3)
        family.add_sample("a", {"y": "1"}, 4)
        family.add_sample("a", {"x": "3"}, 5, 1.5)
    assert seen(ours) == seen(theirs)
    again = Metric("a", "A.", "histogram")
    assert not again
    again.extend(ours)
    assert again
    assert seen(again) == seen(ours)


def test_a_sample_does_not_change_with_the_labels_it_was_made_of() -> None:
    family = Metric("a", "A.", "gauge")
    labels = {"x": "1"}
    family.add_sample("a", labels, 1)
    family.add_sample("a_other", labels, 1)
    labels["x"] = "2"
    assert [s.labels for s in family.samples] == [{"x": "1"}, {"x": "1"}]


@pytest.mark.parametrize("value", [1, 2.5, math.inf, math.nan, True, "3", Decimal(4)])
def test_numbers_pass_the_check(value: Any) -> None:
    family = GaugeMetricFamily("a", "A.", labels=["x"])
    family.add_metric(["é"], -math.inf)
    family.add_metric(["b"], value)
    check(family)
    assert printable([family, family]) == ((family, family), None)


@pytest.mark.parametrize(
    ("label", "value", "error"),
    [
        ("b", "many", ValueError),
        ("b", None, TypeError),
        ("b", 10**400, OverflowError),
        ("\udcff", 1, UnicodeEncodeError),
        (5, 1, AttributeError),
    ],
)
def test_what_cannot_be_printed_fails_the_check(
    label: Any, value: Any, error: type[Exception]
) -> None:
    for new in (GaugeMetricFamily, core.GaugeMetricFamily):
        family = new("a", "A.", labels=["x"])
        family.add_metric([label], value)
        with pytest.raises(error):
            check(family)
        good = GaugeMetricFamily("b", "B.", 1)
        all_three: list[Exposed] = [good, family, good]
        found, fault = printable(all_three)
        assert found == (good,)
        assert isinstance(fault, error)
    odd = Metric("a", "A.", "gauge")
    odd.add_sample("b", {"x": label}, value)
    found, fault = printable([odd])
    assert found == ()
    assert isinstance(fault, error)


def test_what_is_no_metric_fails_the_check() -> None:
    found, fault = printable([object()])  # type: ignore[type-var]
    assert found == ()
    assert "samples" in str(fault)


NAMES = st.from_regex(r"[a-c]{1,2}", fullmatch=True) | st.just("a_b")
TEXTS = st.text(max_size=3) | st.sampled_from(["%", "%s", '"', "\\", "\n", "ä"])
ROWS = st.lists(st.tuples(TEXTS, TEXTS, st.floats() | st.integers(-9, 9)), max_size=5)
FAMILIES = st.lists(
    st.tuples(
        NAMES,
        st.sampled_from(sorted(OURS)),
        TEXTS,
        st.sampled_from(["", "b"]),
        st.permutations(["x", "y"]),
        ROWS,
    ),
    max_size=5,
)


def built(classes: dict[str, Any], families: list[Any]) -> list[Any]:
    found = []
    for name, kind, about, unit, labels, rows in families:
        family = classes[kind](name, about, labels=labels, unit=unit)
        for first, second, value in rows:
            family.add_metric([first, second], value)
        found.append(family)
    return found


@given(
    st.lists(FAMILIES, min_size=1, max_size=3),
    st.sampled_from(Kind),
    st.sampled_from(Escaping),
)
def test_ours_and_prometheus_clients_give_the_same_bytes(
    scrapes: list[Any], kind: Kind, escaping: Escaping
) -> None:
    """Ours are kept as text between scrapes, theirs are not: the same comes out."""
    for families in scrapes + scrapes[::-1]:
        answers = []
        for classes in (OURS, THEIRS):
            problems: list[str] = []
            found = built(classes, families)
            body = encoder(kind)(found, problems.append, None, escaping)
            answers.append((body, problems))
        assert answers[0] == answers[1]


def test_nothing_of_prometheus_client_is_named() -> None:
    assert "prometheus_client" not in vars(metric)
