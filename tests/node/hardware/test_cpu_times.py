from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from exporters.node.hardware.cpu_times import CpuTimes, SteadyCpuTimes, parse_cpu_times


def test_parse_divides_by_ticks_and_leaves_out_the_sum() -> None:
    data = b"cpu  9 9 9 9\ncpu0 100 50 25 1234 1 2 3 4 5 6 7\ncpu12 1 2\nctxt 5\n"
    assert parse_cpu_times(data) == {
        0: CpuTimes(1.0, 0.5, 0.25, 12.34, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06),
        12: CpuTimes(0.01, 0.02),
    }


@pytest.mark.parametrize("line", [b"cpu0 1 x 3", b"cpux 1 2", b"cpu0 1_0"])
def test_parse_names_the_line(line: bytes) -> None:
    with pytest.raises(ValueError, match="stat:2: expected 'cpuN numbers'"):
        parse_cpu_times(b"cpu 1 2\n" + line)


def test_a_counter_that_falls_is_held() -> None:
    steady = SteadyCpuTimes()
    steady.update({0: CpuTimes(user=5, idle=10, iowait=3)})
    shown = steady.update({0: CpuTimes(user=6, idle=7.5, iowait=2)})
    assert shown == {0: CpuTimes(user=6, idle=10, iowait=3)}


def test_an_idle_jump_of_three_seconds_starts_the_cpu_again() -> None:
    steady = SteadyCpuTimes()
    steady.update({0: CpuTimes(user=5, idle=10), 1: CpuTimes(user=5, idle=10)})
    shown = steady.update({0: CpuTimes(user=1, idle=7), 1: CpuTimes(user=1, idle=7.01)})
    assert shown[0] == CpuTimes(user=1, idle=7)
    assert shown[1] == CpuTimes(user=5, idle=10)


def test_an_offline_cpu_is_forgotten() -> None:
    steady = SteadyCpuTimes()
    steady.update({0: CpuTimes(user=1), 1: CpuTimes(user=9)})
    assert set(steady.update({0: CpuTimes(user=2)})) == {0}
    assert steady.update({0: CpuTimes(user=2), 1: CpuTimes(user=3)})[1].user == 3


times = st.builds(CpuTimes, *[st.floats(0, 1e6) for _ in CpuTimes._fields])


@given(st.lists(times, min_size=2))
def test_nothing_goes_backwards_but_by_a_reset(series: list[CpuTimes]) -> None:
    steady = SteadyCpuTimes()
    last = CpuTimes()
    for new in series:
        shown = steady.update({0: new})[0]
        if last.idle - new.idle >= 3:
            assert shown == new
        else:
            assert all(s >= before for s, before in zip(shown, last, strict=True))
        last = shown
