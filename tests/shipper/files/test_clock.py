from __future__ import annotations

import itertools

from hypothesis import given, strategies as st

from shipper.files.clock import SET_BACK_NS, LineClock


@given(st.lists(st.integers(0, SET_BACK_NS // 100), min_size=1, max_size=50))
def test_every_line_is_later(readings: list[int]) -> None:
    given_times = iter(readings)
    clock = LineClock(lambda: 10**18 + next(given_times))
    times = [clock.stamp() for _ in readings]
    assert all(a < b for a, b in itertools.pairwise(times))
    assert all(t >= 10**18 + r for t, r in zip(times, readings, strict=True))


def test_a_clock_that_is_set_back_is_followed() -> None:
    readings = iter([10 * SET_BACK_NS, 10 * SET_BACK_NS - 1, 5, 5])
    clock = LineClock(lambda: next(readings))
    times = [clock.stamp() for _ in range(4)]
    assert times == [10 * SET_BACK_NS, 10 * SET_BACK_NS + 1, 5, 6]
