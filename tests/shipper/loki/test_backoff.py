from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from shipper.loki.backoff import (
    LEAST_SECONDS,
    LONGEST_RETRY_AFTER_SECONDS,
    Backoff,
    parse_retry_after,
)


NOW = datetime(2026, 11, 22, 15, 0, 0, tzinfo=UTC)


def test_doubles_from_the_minimum_to_the_maximum() -> None:
    backoff = Backoff(0.5, 300)
    low = [backoff.delay(n, 0.0) for n in range(1, 12)]
    high = [backoff.delay(n, 1.0) for n in range(1, 12)]
    assert low == [0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300]
    assert high == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


@given(
    st.integers(1, 10**6),
    st.floats(0, 1e6, allow_nan=False),
    st.floats(0, 1e6, allow_nan=False),
)
def test_never_spins_and_never_exceeds_the_maximum(
    attempt: int, least: float, most: float
) -> None:
    delay = Backoff(least, most).delay(attempt)
    assert LEAST_SECONDS <= delay <= max(most, LEAST_SECONDS)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        (" 0 ", 0.0),
        ("Sun, 22 Nov 2026 15:00:30 GMT", 30.0),
        ("Sun, 22 Nov 2026 14:00:00 GMT", 0.0),
        ("99999999999", LONGEST_RETRY_AFTER_SECONDS),
        ("soon", None),
        ("-5", None),
        ("²", None),
        ("", None),
    ],
)
def test_retry_after(value: str | None, seconds: float | None) -> None:
    assert parse_retry_after(value, NOW) == seconds
