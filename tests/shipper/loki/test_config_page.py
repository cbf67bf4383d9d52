"""Loki's pages, and pages that only look like them."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from shipper.loki.config_page import (
    ConfigPage,
    TenantLimits,
    parse_config,
    parse_tenant_limits,
)
from shipper.loki.loki_limits import UNKNOWN, LokiLimits, read_limits


HOUR = 3600 * 10**9
PAGE = """\
target: all
auth_enabled: true
server:
  http_listen_port: 3100
limits_config:
  ingestion_rate_mb: 4
  max_label_name_length: 1024
  max_label_value_length: 2048
  max_label_names_per_series: 15
  reject_old_samples: true
  reject_old_samples_max_age: 1w
  creation_grace_period: 10m
  max_line_size: 256KB
  max_line_size_truncate: false
  discover_service_name:
  - service
  allow_structured_metadata: true
  max_structured_metadata_size: 64KB
  max_structured_metadata_entries_count: 128
table_manager:
  retention_period: 0s
runtime_config:
  period: 10s
  file: ""
"""
LIMITS = LokiLimits(
    max_age_ns=168 * HOUR,
    ahead_ns=HOUR // 6,
    line_bytes=262_144,
    label_names=15,
    label_name_bytes=1024,
    label_value_bytes=2048,
    metadata_allowed=True,
    metadata_bytes=65_536,
    metadata_pairs=128,
)


def limits(text: str) -> LokiLimits | None:
    page = parse_config(text)
    return page.limits if page else None


@pytest.mark.parametrize(
    ("file", "overridden"),
    [
        ('file: ""', False),
        ("", False),
        ("file: null", False),
        ("file: /etc/loki/overrides.yaml", True),
        ("file: a.yaml,b.yaml", True),
    ],
)
def test_a_page_of_loki(file: str, *, overridden: bool) -> None:
    found = parse_config(PAGE.replace('file: ""', file))
    assert found == ConfigPage(LIMITS, overridden=overridden)


@pytest.mark.parametrize(
    ("line", "instead", "field"),
    [
        ("reject_old_samples: true", "reject_old_samples: false", "max_age_ns"),
        ("reject_old_samples_max_age: 1w", "x: y", "max_age_ns"),
        ("_max_age: 1w", "_max_age: soon", "max_age_ns"),
        ("_max_age: 1w", "_max_age: 0s", "max_age_ns"),
        ("grace_period: 10m", "grace_period: [1]", "ahead_ns"),
        ("max_line_size: 256KB", "max_line_size: 0B", "line_bytes"),
        ("max_line_size: 256KB", "max_line_size: {a: b}", "line_bytes"),
        ("truncate: false", "truncate: true", "line_bytes"),
        ("per_series: 15", "per_series: many", "label_names"),
        ("per_series: 15", "per_series: -1", "label_names"),
        ("name_length: 1024", f"name_length: {'9' * 5000}x", "label_name_bytes"),
        ("value_length: 2048", "value_length: 2012-01-01", "label_value_bytes"),
        ("metadata: true", "metadata: perhaps", "metadata_allowed"),
        ("metadata_size: 64KB", "metadata_size: null", "metadata_bytes"),
        ("entries_count: 128", "entries_count: 0", "metadata_pairs"),
    ],
)
def test_a_limit_that_is_off_or_unintelligible_is_not_known(
    line: str, instead: str, field: str
) -> None:
    found = limits(PAGE.replace(line, instead))
    assert found
    assert getattr(found, field) is None
    others = [name for name in LokiLimits.__slots__ if name != field]
    assert [getattr(found, n) for n in others] == [getattr(LIMITS, n) for n in others]


def test_no_grace_at_all_is_a_limit() -> None:
    found = limits(PAGE.replace("period: 10m", "period: 0s"))
    assert found
    assert found.ahead_ns == 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html>limits_config: {}</html>",
        "limits_config:\n",
        "limits_config: []\n",
        "limits_config: {\n",
        "limits_config:\n  a: !!python/object:os.system {}\n",
        "limits_config:\n  ? [a]\n  : {b: c}\n",
        "  limits_config:\n    max_line_size: 1\n",
        "limits_config: " + "[" * 5000,
    ],
)
def test_what_is_no_page_of_loki(text: str) -> None:
    found = limits(text)
    assert found in {None, UNKNOWN}


def section() -> str:
    """Return the limits alone, as the page of a tenant has them."""
    lines = PAGE.partition("limits_config:\n")[2].partition("table_manager")[0]
    return lines.replace("\n  ", "\n")[2:]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (section(), LIMITS),
        ("max_line_size: 1KB", LokiLimits(line_bytes=1024)),  # the rest is not shown
        ("{}", UNKNOWN),
        ("", None),
        ("404 page not found", None),
        ("[1]", None),
        ("{", None),
        ("<html>", None),
    ],
)
def test_the_page_of_a_tenant(text: str, found: LokiLimits | None) -> None:
    assert parse_tenant_limits(text) == found


def test_a_tenant_has_its_own_limits() -> None:
    own = LokiLimits(line_bytes=1)
    assert TenantLimits(LIMITS).of("any") == LIMITS
    assert TenantLimits(LIMITS, {"a": own}).of("a") == own
    assert TenantLimits(own={"a": own}).of("b") == UNKNOWN


@given(
    st.text(alphabet="limts_confg: \n-[]{}&*!'\"0123456789wdKMGT?|>.eE+") | st.text()
)
def test_any_text_is_understood_somehow(text: str) -> None:
    for given_text in (text, "limits_config:\n  max_line_size: " + text):
        limits(given_text)
        parse_tenant_limits(given_text)


KEYS = [line.strip().partition(":")[0] for line in section().splitlines()]


@given(
    st.dictionaries(
        st.sampled_from(KEYS),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    )
)
def test_any_value_is_understood_somehow(config: dict[str, object]) -> None:
    read_limits(config)
