from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from exporters.nginx.patience import CEILING_SECONDS, time_limit


@pytest.mark.parametrize(
    ("configured", "announced", "limit"),
    [
        (5.0, None, 5.0),
        (5.0, 10.0, 5.0),
        (5.0, 5.0, 4.5),
        (5.0, 1.0, 0.9),
        (0.0, 10.0, 9.5),
        (0.0, None, CEILING_SECONDS),
        (5.0, 0.0, 5.0),
        (5.0, -1.0, 5.0),
    ],
)
def test_time_limit(configured: float, announced: float | None, limit: float) -> None:
    assert time_limit(configured, announced) == limit


@given(st.floats(0, 1e6), st.none() | st.floats(-1e6, 1e6))
def test_every_wait_has_a_limit(configured: float, announced: float | None) -> None:
    limit = time_limit(configured, announced)
    assert 0 < limit <= (configured or CEILING_SECONDS)
