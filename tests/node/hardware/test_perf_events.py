from __future__ import annotations

import contextlib
import mmap
import os
import struct
from collections.abc import Iterator

import pytest
from hypothesis import given, strategies as st

from exporters.node.hardware import perf_events
from exporters.node.hardware.perf_events import SOFTWARE, Event


PAGE_FAULTS, MINOR_FAULTS = Event(SOFTWARE, 2), Event(SOFTWARE, 5)
NONE_SUCH = Event(SOFTWARE, 999)


@pytest.fixture
def cpu() -> Iterator[int]:
    """The CPU that the test runs on, and only there."""
    allowed = os.sched_getaffinity(0)
    chosen = min(allowed)
    try:
        os.close(perf_events.open_counter(PAGE_FAULTS, chosen))
    except PermissionError:
        pytest.skip("perf_event_open(2) is not allowed here")
    os.sched_setaffinity(0, {chosen})
    yield chosen
    os.sched_setaffinity(0, allowed)


def touch(pages: int) -> None:
    with mmap.mmap(-1, pages * mmap.PAGESIZE) as memory:
        if hasattr(mmap, "MADV_NOHUGEPAGE"):
            with contextlib.suppress(OSError):
                memory.madvise(mmap.MADV_NOHUGEPAGE)
        for page in range(pages):
            memory[page * mmap.PAGESIZE] = 1


def test_the_kernel_counts(cpu: int) -> None:
    descriptor = perf_events.open_counter(PAGE_FAULTS, cpu)
    try:
        before = perf_events.read_counter(descriptor)
        touch(300)
        after = perf_events.read_counter(descriptor)
    finally:
        os.close(descriptor)
    assert before is not None
    assert after is not None
    assert after - before >= 300


def test_the_kernel_counts_a_group(cpu: int) -> None:
    descriptors = perf_events.open_group([PAGE_FAULTS, MINOR_FAULTS], cpu)
    try:
        before = perf_events.read_group(descriptors[0], 2)
        touch(300)
        after = perf_events.read_group(descriptors[0], 2)
    finally:
        perf_events.close(descriptors)
    assert all(new - old >= 300 for old, new in zip(before, after, strict=True))


def test_what_the_kernel_does_not_count_is_its_error(cpu: int) -> None:
    with pytest.raises(OSError, match=r"No such|Invalid"):
        perf_events.open_counter(NONE_SUCH, cpu)


def test_a_group_that_cannot_be_leaves_nothing_open(cpu: int) -> None:
    before = os.listdir("/proc/self/fd")
    with pytest.raises(OSError, match=r"No such|Invalid"):
        perf_events.open_group([PAGE_FAULTS, NONE_SUCH], cpu)
    assert os.listdir("/proc/self/fd") == before


def test_descriptors_are_not_inherited(cpu: int) -> None:
    descriptor = perf_events.open_counter(PAGE_FAULTS, cpu)
    try:
        assert not os.get_inheritable(descriptor)
    finally:
        os.close(descriptor)


@pytest.mark.parametrize(
    ("machine", "is_64_bit", "number"),
    [
        ("x86_64", True, 298),
        ("x86_64", False, 336),
        ("aarch64", True, 241),
        ("aarch64", False, 364),
        ("armv7l", False, 364),
        ("s390x", True, 331),
    ],
)
def test_the_call_has_another_number_on_each_machine(
    machine: str, is_64_bit: bool, number: int
) -> None:
    assert perf_events.call_number(machine, is_64_bit=is_64_bit) == number


def test_a_machine_nobody_knows_is_refused() -> None:
    with pytest.raises(OSError, match="vax"):
        perf_events.call_number("vax")


def test_values_are_read_as_they_are() -> None:
    # Half of the time there was no register: upstream does not double it either.
    assert perf_events.parse_counter(struct.pack("=3Q", 2**64 - 1, 10, 5)) == 2**64 - 1
    data = struct.pack("=5Q", 2, 10, 5, 7, 8)
    assert perf_events.parse_group(data, 2) == (7, 8)


def test_a_cpu_that_is_off_has_no_values() -> None:
    assert perf_events.parse_counter(b"") is None
    assert perf_events.parse_group(b"", 2) == ()


@given(data=st.binary(max_size=64), count=st.integers(1, 4))
def test_noise_raises_only_value_error(data: bytes, count: int) -> None:
    with contextlib.suppress(ValueError):
        perf_events.parse_counter(data)
    with contextlib.suppress(ValueError):
        perf_events.parse_group(data, count)
