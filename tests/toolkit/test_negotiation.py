from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from exporters.toolkit.escaping import Escaping
from exporters.toolkit.exposition import CONTENT_TYPE
from exporters.toolkit.negotiation import Format, Kind, negotiate


PROTOBUF = (
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding="
)
# What a Prometheus sends: 2.54, 3.5, and 3.5 that wants native histograms.
PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0;q=0.5,"
    "application/openmetrics-text;version=0.0.1;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
PROMETHEUS_HISTOGRAMS = f"{PROTOBUF}delimited;q=0.7,{PROMETHEUS_3}"

UTF8, UNDERSCORES = Escaping.UTF8, Escaping.UNDERSCORES


@pytest.mark.parametrize(
    ("accept", "kind", "escaping"),
    [
        ("", Kind.TEXT, UNDERSCORES),
        ("text/plain", Kind.TEXT, UNDERSCORES),
        ("text/plain;version=1.0.0;escaping=dots", Kind.TEXT, Escaping.DOTS),
        ("text/html,*/*;q=0.8", Kind.TEXT, UNDERSCORES),
        ("application/json", Kind.TEXT, UNDERSCORES),
        (PROMETHEUS_2, Kind.TEXT, UNDERSCORES),
        (PROMETHEUS_3, Kind.TEXT, UTF8),
        (PROMETHEUS_HISTOGRAMS, Kind.DELIMITED, UNDERSCORES),
        (f"{PROTOBUF}delimited;escaping=values", Kind.DELIMITED, Escaping.VALUES),
        (f"{PROTOBUF}delimited;escaping=bogus", Kind.DELIMITED, UNDERSCORES),
        (f"{PROTOBUF}text", Kind.PROTO_TEXT, UNDERSCORES),
        (f"{PROTOBUF}compact-text", Kind.PROTO_COMPACT, UNDERSCORES),
        (f"{PROTOBUF}bogus", Kind.TEXT, UNDERSCORES),
        ("application/vnd.google.protobuf", Kind.TEXT, UNDERSCORES),
        (f"text/plain;q=0.1,{PROTOBUF}delimited", Kind.DELIMITED, UNDERSCORES),
        (f"text/plain,{PROTOBUF}delimited;q=0.1", Kind.TEXT, UNDERSCORES),
    ],
)
def test_as_upstream(accept: str, kind: Kind, escaping: Escaping) -> None:
    assert negotiate(accept) == Format(kind, escaping)


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("application/openmetrics-text", Kind.OPENMETRICS_0_0_1),
        ("application/openmetrics-text;version=1.0.0", Kind.OPENMETRICS_1_0_0),
        ("application/openmetrics-text;version=0.0.1", Kind.OPENMETRICS_0_0_1),
        ("application/openmetrics-text;version=2.0.0", Kind.TEXT),
        ("application/openmetrics-text,text/plain;q=0.1", Kind.TEXT),
        ("application/openmetrics-text,text/html;q=0.1", Kind.TEXT),
        ("application/openmetrics-text;version=1.0.0,*/*;q=0.1", Kind.TEXT),
    ],
)
def test_openmetrics_for_those_who_take_nothing_else(accept: str, kind: Kind) -> None:
    assert negotiate(accept).kind is kind


@pytest.mark.parametrize(
    ("accept", "kind", "escaping"),
    [
        ("", Kind.TEXT, UNDERSCORES),
        (PROMETHEUS_2, Kind.OPENMETRICS_1_0_0, UNDERSCORES),
        (PROMETHEUS_3, Kind.OPENMETRICS_1_0_0, UTF8),
        (PROMETHEUS_HISTOGRAMS, Kind.DELIMITED, UNDERSCORES),
        ("text/plain,application/openmetrics-text;q=0.5", Kind.TEXT, UNDERSCORES),
    ],
)
def test_openmetrics_switched_on(accept: str, kind: Kind, escaping: Escaping) -> None:
    assert negotiate(accept, openmetrics=True) == Format(kind, escaping)


def test_content_types() -> None:
    assert Format().content_type == CONTENT_TYPE
    assert Format(Kind.DELIMITED, UTF8).content_type == (
        "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily;"
        " encoding=delimited; escaping=allow-utf-8"
    )
    assert Format(Kind.OPENMETRICS_1_0_0).content_type == (
        "application/openmetrics-text; version=1.0.0; charset=utf-8;"
        " escaping=underscores"
    )


@given(st.text(max_size=100), st.booleans())
def test_a_header_may_be_anything(accept: str, openmetrics: bool) -> None:
    assert negotiate(accept, openmetrics=openmetrics).kind in Kind
