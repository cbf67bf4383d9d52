from __future__ import annotations

import pytest

from benchmarks.growth import growth


def test_a_line() -> None:
    found = growth({25: [3.0, 6.0], 50: [5.5, 11.0], 100: [10.5, 21.0]})
    assert found.slopes == pytest.approx((0.1, 0.2))
    assert found.bend == pytest.approx(1.0)


def test_a_parabola_bends() -> None:
    found = growth({size: [size**2 / 100] for size in (100, 25, 50)})
    # (100² - 50²) / 50 is twice (50² - 25²) / 25.
    assert found.bend == pytest.approx(2.0)


def test_a_large_constant_bends_nothing() -> None:
    found = growth({size: [1000 + size] for size in (25, 50, 100)})
    assert found.bend == pytest.approx(1.0)


def test_a_disturbed_round_bends_nothing() -> None:
    found = growth({25: [2.5, 2.5], 50: [9.0, 5.0], 100: [10.0, 30.0]})
    assert found.bend == pytest.approx(1.0)


def test_two_points_say_nothing_of_linear() -> None:
    with pytest.raises(ValueError, match=r"three sizes or more, got \[1, 2\]"):
        growth({1: [1.0], 2: [2.0]})


def test_every_size_has_every_round() -> None:
    with pytest.raises(ValueError, match="shorter"):
        growth({1: [1.0, 1.0], 2: [2.0], 3: [3.0, 3.0]})
