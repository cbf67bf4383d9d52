from __future__ import annotations

from hypothesis import given, strategies as st

from shipper.docker.remembered import REMEMBERED_LINES, Remembered


def test_lines_are_known_by_time_and_text() -> None:
    remembered = Remembered()
    remembered.add(5, 77)
    assert remembered.has(5, 77)
    assert not remembered.has(5, 78)
    assert not remembered.has(6, 77)
    remembered.add(6, 77)
    assert remembered.has(6, 77)


def test_the_oldest_are_forgotten_with_their_greatest_time() -> None:
    remembered = Remembered(3)
    assert remembered.forgotten_ns == 3
    for at in range(10, 2 * REMEMBERED_LINES + 10):
        remembered.add(at, at)
        assert remembered.has(10, 10)
    remembered.add(9, 9)
    assert len(remembered) == REMEMBERED_LINES + 1
    assert remembered.forgotten_ns == REMEMBERED_LINES + 9
    assert not remembered.has(10, 10)
    assert remembered.has(9, 9)


@given(st.lists(st.integers(0, 3 * REMEMBERED_LINES), max_size=20))
def test_what_is_later_than_forgotten_is_known_for_certain(steps: list[int]) -> None:
    remembered, added, now = Remembered(), set(), 0
    for step in steps:
        for at in range(now, now + step):
            remembered.add(at, 0)
            added.add(at)
        now = max(0, now + step - 100)  # a clock is set back
        for at in range(remembered.forgotten_ns + 1, now + 200, 37):
            assert remembered.has(at, 0) == (at in added)
