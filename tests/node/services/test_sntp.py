from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given, strategies as st

from exporters.node.services import sntp


S = 10**9
MS = 10**6
COOKIE = 0x0123_4567_89AB_CDEF
NOW = 1_795_678_000 * S
TO_1970 = 2_208_988_800


def stamp(nanoseconds: int) -> int:
    """Return a time since 1970 as NTP's; only times that need no rounding."""
    whole, rest = divmod(nanoseconds, S)
    fraction, inexact = divmod(rest << 32, S)
    assert not inexact
    return (whole + TO_1970) % 2**32 << 32 | fraction


def packet(
    *,
    first: int = 4 << 3 | 4,
    stratum: int = 2,
    delay: int = 0,
    dispersion: int = 0,
    reference: int = NOW - 64 * S,
    origin: int = COOKIE,
    receive: int = NOW,
    transmit: int = NOW,
) -> bytes:
    times = (stamp(reference), origin, stamp(receive), stamp(transmit))
    head = (first, stratum, 6, -20, delay, dispersion, 0x7F000001)
    return struct.pack(">BBbbIIIQQQQ", *head, *times)


def parse(data: bytes, sent: int = NOW, received: int = NOW) -> sntp.Answer:
    return sntp.parse(data, COOKIE, sent, received)


def test_request() -> None:
    data = sntp.request(3, COOKIE)
    assert len(data) == 48
    assert data[0] == 3 << 3 | 3
    assert data[40:] == COOKIE.to_bytes(8, "big")


def test_delay_and_offset_of_an_exchange() -> None:
    # 125 ms there, 250 ms of work, 375 ms back, by clocks that agree.
    data = packet(receive=NOW + 125 * MS, transmit=NOW + 375 * MS)
    answer = parse(data, NOW, NOW + 750 * MS)
    assert answer.rtt == 500 * MS
    assert answer.offset == -125 * MS  # half of what the ways differ
    assert answer.min_error == 0
    assert answer.time == NOW + 375 * MS
    assert answer.reference_time == NOW - 64 * S


@pytest.mark.parametrize(
    ("ahead", "min_error"), [(8 * S, 8 * S - 500 * MS), (-8 * S, 8 * S)]
)
def test_clocks_that_contradict_each_other(ahead: int, min_error: int) -> None:
    data = packet(receive=NOW + ahead, transmit=NOW + ahead)
    answer = parse(data, NOW, NOW + 500 * MS)
    assert answer.min_error == min_error
    assert answer.offset == ahead - 250 * MS
    assert answer.rtt == 500 * MS


def test_an_exchange_across_the_end_of_an_era() -> None:
    end = (2**32 - TO_1970) * S  # 2036-02-07T06:28:16Z
    data = packet(
        receive=end - 250 * MS, transmit=end - 250 * MS, reference=end - 16 * S
    )
    answer = parse(data, end - 500 * MS, end + 500 * MS)
    assert (answer.rtt, answer.offset) == (1 * S, -250 * MS)


def test_a_time_before_1970_is_of_the_next_era() -> None:
    data = bytearray(packet())
    data[16:24] = bytes(8)  # a server that never had the time
    assert parse(bytes(data)).reference_time == 2_085_978_496 * S


def test_fractions_are_rounded_to_the_nearest_nanosecond() -> None:
    answer = parse(packet(delay=0x1_0001, dispersion=0x0_8003))
    assert answer.root_delay == S + 15_259  # 1/65536 s is 15258.79 ns
    assert answer.root_dispersion == 500_045_776  # 3/65536 s is 45776.37 ns
    assert answer.root_distance == (S + 15_259) // 2 + 500_045_776


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (packet(), None),
        (packet(stratum=0), "kiss of death received"),
        (packet(stratum=16), "invalid stratum in response"),
        (packet(stratum=15), None),
        (packet(reference=NOW - (2**17 + 1) * S), "server clock not fresh"),
        (packet(reference=NOW - 2**17 * S), None),
        (packet(dispersion=16 << 16), None),
        (packet(delay=1 << 16, dispersion=16 << 16), "invalid dispersion in response"),
        (packet(reference=NOW + S), "invalid time reported"),
        (packet(first=3 << 6 | 4 << 3 | 4), "invalid leap second in response"),
    ],
)
def test_problem(data: bytes, problem: str | None) -> None:
    assert parse(data).problem() == problem


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "expected 48 bytes, got 0"),
        (packet()[:47], "expected 48 bytes, got 47"),
        (packet(first=4 << 3 | 3), "invalid mode in response"),
        (packet()[:40] + bytes(8), "invalid transmit time in response"),
        (packet(origin=1), "server response didn't match request"),
        (packet(receive=NOW + S), "server clock ticked backwards"),
    ],
)
def test_what_is_no_answer_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^{reason}$"):
        parse(data)


@given(noise=st.binary(min_size=48, max_size=64), sent=st.integers(0, 2**62))
def test_noise_raises_only_value_error(noise: bytes, sent: int) -> None:
    with contextlib.suppress(ValueError):
        sntp.parse(noise, int.from_bytes(noise[24:32], "big"), sent, sent + MS)


@pytest.mark.parametrize(
    ("address", "where"),
    [
        ("127.0.0.1", ("127.0.0.1", "123")),
        ("ntp.example:4123", ("ntp.example", "4123")),
        ("::1", ("::1", "123")),
        ("[::1]", ("::1", "123")),
        ("[fe80::1%eth0]:4123", ("fe80::1%eth0", "4123")),
    ],
)
def test_split_address(address: str, where: tuple[str, str]) -> None:
    assert sntp.split_address(address, 123) == where


@pytest.mark.parametrize("address", ["", "[::1", "[::1]4123"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="address"):
        sntp.split_address(address, 123)
