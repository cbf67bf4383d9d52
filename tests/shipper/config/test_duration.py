from __future__ import annotations

import pytest

from shipper.config.duration import (
    parse_config_duration,
    parse_refresh_interval,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1m30s", 90.0), ("500ms", 0.5), ("1", 1e-9), ("0", 0.0), ("1.5h", 5400.0)],
)
def test_go_durations_and_bare_nanoseconds(text: str, seconds: float) -> None:
    assert parse_config_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "1d", "s", "5 s"])
def test_what_go_refuses(text: str) -> None:
    with pytest.raises(ValueError, match="time: "):
        parse_config_duration(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1d", 86400.0),
        ("1h30m", 5400.0),
        ("1y2w", 32745600.0),
        ("0", 0.0),
        ("5ms", 0.005),
    ],
)
def test_prometheus_durations(text: str, seconds: float) -> None:
    assert parse_refresh_interval(text) == seconds


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "empty duration string"),
        ("60", 'not a valid duration string: "60"'),
        ("1s1m", "not a valid duration string"),
        ("1m1m", "not a valid duration string"),
        ("-1m", "not a valid duration string"),
        ("1.5h", "unknown unit"),
        ("5minutes", 'unknown unit "minutes" in duration "5minutes"'),
        ("300y", "duration out of range"),
    ],
)
def test_what_prometheus_refuses(text: str, error: str) -> None:
    with pytest.raises(ValueError, match=error):
        parse_refresh_interval(text)
