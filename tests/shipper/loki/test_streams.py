from __future__ import annotations

from shipper.loki.streams import MAX_TENANTS, StreamLimit

from .conftest import Time


def limit(time: Time, most: int) -> StreamLimit:
    return StreamLimit(most, size_bytes=100, wait_seconds=1.0, clock=time)


def stream(number: int) -> tuple[tuple[str, str], ...]:
    return (("n", str(number)),)


def test_no_limit(time: Time) -> None:
    streams = limit(time, 0)
    assert all(streams.admits("", stream(n), 1) for n in range(1000))


def test_known_streams_pass_and_new_ones_do_not(time: Time) -> None:
    streams = limit(time, 2)
    asked = [1, 2, 3, 1, 2, 3]
    assert [streams.admits("", stream(n), 1) for n in asked] == [
        True, True, False, True, True, False,
    ]  # fmt: skip


def test_each_tenant_has_its_own(time: Time) -> None:
    streams = limit(time, 1)
    assert streams.admits("a", stream(1), 1)
    assert streams.admits("b", stream(2), 1)
    assert not streams.admits("a", stream(2), 1)


def test_a_batch_that_is_old_or_full_makes_room(time: Time) -> None:
    streams = limit(time, 1)
    assert streams.admits("", stream(1), 60)
    time.now += 0.99
    assert not streams.admits("", stream(2), 1)
    time.now += 0.01
    assert streams.admits("", stream(2), 60)
    assert not streams.admits("", stream(1), 40)
    assert streams.admits("", stream(1), 41)


def test_tenants_that_are_gone_are_forgotten(time: Time) -> None:
    streams = limit(time, 1)
    for number in range(MAX_TENANTS * 3):
        assert streams.admits(str(number), stream(1), 1)
        time.now += 0.01
    assert len(streams._windows) <= MAX_TENANTS
