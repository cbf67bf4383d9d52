from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import struct

import pytest
from hypothesis import given, strategies as st

from exporters.node.network import ethtool
from exporters.node.network.ethtool import Driver, Ethtool, Settings


def driver(statistics: int) -> bytes:
    texts = (b"e1000e", b"6.1.0", b"0.5-4", b"0000:00:1f.6", b"")
    head = struct.pack("=I32s32s32s32s32s", 3, *texts)
    return head + bytes(16) + struct.pack("=IIII", statistics, 0, 0, 0)


def names(*found: bytes) -> bytes:
    padded = b"".join(name.ljust(32, b"\0") for name in found)
    return struct.pack("=III", 27, 1, len(found)) + padded


def values(*found: int) -> bytes:
    return struct.pack(f"=II{len(found)}Q", 29, len(found), *found)


def test_settings() -> None:
    data = struct.pack("=IIIHBBBBB", 1, 0x2EF, 0x6F, 1000, 1, 0, 1, 0, 1) + bytes(25)
    assert ethtool.parse_settings(data) == Settings(0x2EF, 0x6F, 1)


def test_a_driver() -> None:
    expected = Driver("e1000e", "6.1.0", "0.5-4", "0000:00:1f.6", "", 12)
    assert ethtool.parse_driver(driver(12)) == expected


def test_statistics() -> None:
    longest = b"n" * 32
    assert ethtool.parse_names(names(b"rx_bytes", b"", longest, b"\xff")) == [
        "rx_bytes",
        "",
        "n" * 32,
        "�",
    ]
    assert ethtool.parse_values(values(1, 2**64 - 1)) == (1, 2**64 - 1)
    assert ethtool.parse_values(values()) == ()


@pytest.mark.parametrize(
    ("parse", "data"),
    [
        (ethtool.parse_settings, bytes(43)),
        (ethtool.parse_driver, bytes(195)),
        (ethtool.parse_names, bytes(11)),
        (ethtool.parse_names, struct.pack("=III", 27, 1, 2**32 - 1)),
        (ethtool.parse_values, bytes(7)),
        (ethtool.parse_values, struct.pack("=II", 29, 2) + bytes(15)),
    ],
)
def test_structs_that_are_too_short(parse: object, data: bytes) -> None:
    assert callable(parse)
    with pytest.raises(ValueError, match="ethtool: "):
        parse(data)


@given(st.binary(max_size=250))
def test_rubbish_raises_only_value_error(data: bytes) -> None:
    for parse in (
        ethtool.parse_settings,
        ethtool.parse_driver,
        ethtool.parse_names,
        ethtool.parse_values,
    ):
        with contextlib.suppress(ValueError):
            parse(data)


class Kernel:
    """Writes structs to where an ioctl points, as the kernel does."""

    def __init__(self, answers: list[bytes | OSError]) -> None:
        self.answers = answers
        self.asked: list[tuple[bytes, bytes]] = []
        self.ethtool: Ethtool | None = None

    def ioctl(self, _: object, request: int, argument: bytes) -> int:
        assert request == 0x8946
        assert self.ethtool is not None
        memory = self.ethtool._memory
        name, address = struct.unpack_from("@16sP", argument)
        assert address == self.ethtool._address
        self.asked.append((name.rstrip(b"\0"), memory[:12]))
        answer = self.answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        memory[: len(answer)] = answer
        return 0


def statistics(
    monkeypatch: pytest.MonkeyPatch, *answers: bytes | OSError, device: str = "eth0"
) -> tuple[dict[str, int], Kernel]:
    kernel = Kernel(list(answers))
    monkeypatch.setattr(fcntl, "ioctl", kernel.ioctl)
    with Ethtool.open() as kernel.ethtool:
        return dict(kernel.ethtool.statistics(device)), kernel


def test_three_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    found, kernel = statistics(
        monkeypatch, driver(3), names(b"rx", b"", b"tx"), values(1, 2, 3)
    )
    assert found == {"rx": 1, "tx": 3}
    assert kernel.asked == [
        (b"eth0", struct.pack("=III", 3, 0, 0)),
        (b"eth0", struct.pack("=III", 27, 1, 3)),
        (b"eth0", struct.pack("=III", 29, 3, 0)),
    ]


def test_a_name_is_cut_to_what_the_kernel_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, kernel = statistics(
        monkeypatch, driver(0), names(), values(), device="a-name-with-more-than-15"
    )
    assert {name for name, _ in kernel.asked} == {b"a-name-with-mor"}


@pytest.mark.parametrize(
    ("between", "then"),
    [
        ((names(b"rx"), values(1)), "fewer"),
        ((names(b"rx", b"tx"), values(1, 2, 3)), "more values"),
        ((names(*[b"x"] * 50), values(*range(50))), "many more"),
    ],
)
def test_numbers_that_change_meanwhile_are_asked_for_again(
    between: tuple[bytes, bytes], then: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert then
    whole = (driver(2), names(b"rx", b"tx"), values(1, 2))
    found, _ = statistics(monkeypatch, driver(2), *between, *whole)
    assert found == {"rx": 1, "tx": 2}


def test_numbers_that_never_hold_still(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BlockingIOError, match="statistics of eth0 keep changing"):
        statistics(monkeypatch, *(driver(2), names(b"rx"), values(1)) * 3)


def test_more_statistics_than_anybody_has(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OSError, match="32769 statistics of eth0") as caught:
        statistics(monkeypatch, driver(32_769))
    assert caught.value.errno == errno.E2BIG


def test_loopback_has_no_link_and_nothing_stays_open() -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with Ethtool.open() as kernel, pytest.raises(OSError, match="not supported"):
            kernel.settings("lo")
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_device_that_is_not_there() -> None:
    with Ethtool.open() as kernel, pytest.raises(OSError, match="No such device"):
        kernel.driver("never-was")
