from __future__ import annotations

import contextlib
from datetime import UTC
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies as st

from shipper.logs.errors import UsageError
from shipper.logs.times import SECOND_NS, parse_span, parse_time


NOW = 1_700_000_000 * SECOND_NS  # 2023-11-14T22:13:20Z
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1h", 3600), ("1h30m", 5400), ("1.5h", 5400), ("2d", 172800), ("1w", 604800),
     ("100ms", 0.1), ("0.25s", 0.25), ("0s", 0)],
)  # fmt: skip
def test_spans(text: str, seconds: float) -> None:
    assert parse_span(text, "--since") == int(seconds * SECOND_NS)


@pytest.mark.parametrize(
    "text", ["", "h", "1", "1x", "-1h", "1h ", "1h 3m", "9" * 30 + "w"]
)
def test_no_spans(text: str) -> None:
    with pytest.raises(UsageError, match="--since"):
        parse_span(text, "--since")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", NOW),
        ("1h", NOW - 3600 * SECOND_NS),
        ("-1h", NOW - 3600 * SECOND_NS),
        ("1700000000", NOW),
        ("1700000000000", NOW),
        ("1700000000000000001", NOW + 1),
        ("2023-11-14T22:13:20Z", NOW),
        ("2023-11-14T22:13:20.000000001Z", NOW + 1),
        ("2023-11-14T22:13:20.5+00:00", NOW + SECOND_NS // 2),
        ("2023-11-14T23:13:20.123456789+01:00", NOW + 123_456_789),
        ("2023-11-14 22:13:20", NOW),
        ("2023-11-14 22:13", NOW - 20 * SECOND_NS),
        ("2023-11-14", NOW - (22 * 3600 + 13 * 60 + 20) * SECOND_NS),
        ("22:13", NOW - 20 * SECOND_NS),
        ("9:05:01", NOW - ((22 - 9) * 3600 + (13 - 5) * 60 + 19) * SECOND_NS),
    ],
)
def test_times(text: str, expected: int) -> None:
    assert parse_time(text, "--from", NOW, UTC) == expected


def test_a_time_without_a_zone_is_of_the_zone_shown() -> None:
    assert parse_time("2023-11-14 23:13:20", "--from", NOW, BERLIN) == NOW
    assert parse_time("23:13", "--from", NOW, BERLIN) == NOW - 20 * SECOND_NS


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2023-13-01", "25:00", "12", "0001-01-01", "9999-01-01",
             "2023-11-14T22:13:20+99:00"],
)  # fmt: skip
def test_no_times(text: str) -> None:
    with pytest.raises(UsageError, match=r"--to.*is not a time"):
        parse_time(text, "--to", NOW, UTC)


@given(st.text(max_size=30))
def test_any_text_is_a_time_or_a_usage_error(text: str) -> None:
    with contextlib.suppress(UsageError):
        assert 0 <= parse_time(text, "--to", NOW, UTC) < 1 << 63
