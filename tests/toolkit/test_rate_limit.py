from __future__ import annotations

import pytest

from exporters.toolkit.rate_limit import RateLimiter


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_and_then_one_each_interval() -> None:
    clock = Clock()
    limiter = RateLimiter(2, 0.5, clock)
    assert [limiter.allow() for _ in range(4)] == [True, True, False, False]
    clock.now += 0.5
    assert [limiter.allow() for _ in range(2)] == [True, False]
    clock.now += 0.25
    assert not limiter.allow()
    clock.now += 0.25
    assert limiter.allow()
    clock.now += 1000
    assert [limiter.allow() for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize(
    ("burst", "interval", "allowed"),
    [(0, 1.0, False), (0, -1.0, True), (1, -1.0, True)],
)
def test_odd_settings(burst: int, interval: float, allowed: bool) -> None:
    limiter = RateLimiter(burst, interval, Clock())
    assert [limiter.allow() for _ in range(3)] == [allowed] * 3
