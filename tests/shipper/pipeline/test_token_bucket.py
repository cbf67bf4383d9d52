from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from shipper.pipeline.token_bucket import TokenBucket
from tests.shipper.pipeline.conftest import Clock


def test_begins_full_and_fills_up_to_its_burst() -> None:
    clock = Clock()
    bucket = TokenBucket(2.0, 3, clock.monotonic)
    assert [bucket.allow() for _ in range(4)] == [True, True, True, False]
    clock.advance(0.5)
    assert [bucket.allow() for _ in range(2)] == [True, False]
    clock.advance(3600)
    assert [bucket.allow() for _ in range(4)] == [True, True, True, False]


def test_reservations_queue_up() -> None:
    clock = Clock()
    bucket = TokenBucket(2.0, 1, clock.monotonic)
    assert [bucket.reserve() for _ in range(3)] == pytest.approx([0.0, 0.5, 1.0])
    assert not bucket.allow()
    clock.advance(1.25)
    assert bucket.reserve() == pytest.approx(0.25)


def test_a_line_that_comes_later_finds_the_tokens_of_then() -> None:
    clock = Clock()
    bucket = TokenBucket(1.0, 1, clock.monotonic)
    assert bucket.reserve() == 0.0
    assert bucket.reserve(after_seconds=0.75) == pytest.approx(0.25)
    # And one that is here before that waits for the token after.
    assert bucket.reserve() == pytest.approx(1.25)


@given(
    rate=st.floats(0.1, 1000),
    burst=st.integers(1, 20),
    gaps=st.lists(st.floats(0, 5), min_size=1, max_size=60),
)
def test_never_lets_more_through_than_burst_and_rate(
    rate: float, burst: int, gaps: list[float]
) -> None:
    clock = Clock(0)
    waiting = TokenBucket(rate, burst, clock.monotonic)
    dropping = TokenBucket(rate, burst, clock.monotonic)
    passed, allowed = [], []
    for gap in gaps:
        clock.advance(gap)
        passed.append(clock.monotonic() + waiting.reserve())
        if dropping.allow():
            allowed.append(clock.monotonic())
    for times in (passed, allowed):
        for first, start in enumerate(times):
            for count, end in enumerate(times[first:], 1):
                assert count <= burst + rate * (end - start) + 1e-3
