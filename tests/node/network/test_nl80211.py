from __future__ import annotations

import contextlib
import errno
import struct

import pytest
from hypothesis import given, strategies as st

from exporters.node.network import genetlink, nl80211
from exporters.node.network.genetlink import Family
from exporters.node.network.netlink import NetlinkError
from exporters.node.network.wifi_state import Interface, Network, Station
from tests.node.network.netlink_wire import NESTED, attribute, text, u8, u16, u32, u64


MAC = bytes.fromhex("02fc00000a0b")


def element(kind: int, value: bytes) -> bytes:
    return bytes([kind, len(value)]) + value


def bss(*attributes: bytes) -> bytes:
    return u32(3, 4) + attribute(47 | NESTED, *attributes)


def station(*attributes: bytes) -> bytes:
    return u32(3, 4) + attribute(6, MAC) + attribute(21 | NESTED, *attributes)


def test_interfaces() -> None:
    data = u32(3, 4) + text(4, "wlp1s0") + attribute(6, MAC) + u32(38, 5180)
    assert nl80211.parse_interface(data) == (4, Interface("wlp1s0", 5180))
    assert nl80211.parse_interface(u32(3, 5)) == (5, Interface("", 0))


@pytest.mark.parametrize(
    ("status", "mode"), [(0, "client"), (1, "client"), (2, "ad-hoc"), (9, "unknown")]
)
def test_the_network_in_use(status: int, mode: str) -> None:
    elements = element(1, b"\x82\x84") + element(0, "café".encode()) + element(48, b"")
    data = bss(attribute(1, MAC), attribute(6, elements), u32(9, status))
    expected = Network("café", "02:fc:00:00:0a:0b", mode)
    assert nl80211.parse_network(data) == expected


@pytest.mark.parametrize("data", [b"", bss(), bss(attribute(1, MAC))])
def test_other_networks_are_left_out(data: bytes) -> None:
    assert nl80211.parse_network(data) is None


@pytest.mark.parametrize(
    ("name", "shown"),
    [(b"", ""), (b"a\xffb", "a�b"), (b"\xe2\x82", "��"), (b"\xf0\x9f\x98\x80", "😀")],
)
def test_a_networks_name_is_shown_as_by_go(name: bytes, shown: str) -> None:
    found = nl80211.parse_network(bss(attribute(6, element(0, name)), u32(9, 1)))
    assert found is not None
    assert found.ssid == shown


def test_stations() -> None:
    data = station(
        u32(1, 1234),
        u32(2, 5),
        u32(3, 6),
        u64(23, 2**33),
        u64(24, 2**34),
        u8(7, 256 - 61),
        attribute(8 | NESTED, u16(1, 540), u32(5, 8667)),
        attribute(14 | NESTED, u16(1, 540)),
        u32(9, 11),
        u32(10, 12),
        u32(11, 13),
        u32(12, 14),
        u32(16, 3600),
        u32(18, 15),
    )
    assert nl80211.parse_station(data) == Station(
        address="02:fc:00:00:0a:0b",
        connected_seconds=3600.0,
        inactive_seconds=1.234,
        receive_bitrate=54_000_000,
        transmit_bitrate=866_700_000,
        received_bytes=2**33,
        transmitted_bytes=2**34,
        signal_dbm=-61,
        transmit_retries=13,
        transmit_failed=14,
        beacon_loss=15,
        transmitted_packets=12,
        received_packets=11,
    )


def test_an_old_kernels_station() -> None:
    found = nl80211.parse_station(station(u32(2, 5), u32(3, 6)))
    assert found is not None
    assert (found.received_bytes, found.transmitted_bytes) == (5, 6)
    assert found.receive_bitrate == 0


def test_a_station_of_which_nothing_is_said() -> None:
    assert nl80211.parse_station(attribute(6, MAC)) is None


@pytest.mark.parametrize(
    "data",
    [
        station(attribute(7, b"ab")),
        bss(attribute(6, b"\0"), u32(9, 1)),
        bss(attribute(6, b"\0\5abc"), u32(9, 1)),
    ],
)
def test_broken_messages(data: bytes) -> None:
    with pytest.raises(NetlinkError, match="nl80211: "):
        (nl80211.parse_station(data), nl80211.parse_network(data))


@given(st.binary(max_size=120))
def test_rubbish_raises_nothing_but_netlink_error(data: bytes) -> None:
    wholes = (data, bss(data), bss(attribute(6, data), u32(9, 1)), station(data))
    for parse in (
        nl80211.parse_interface,
        nl80211.parse_network,
        nl80211.parse_station,
    ):
        for whole in wholes:
            with contextlib.suppress(NetlinkError):
                parse(whole)


class Dumps:
    """What the kernel answers to a command; errors are raised."""

    def __init__(self, answers: dict[int, list[bytes] | OSError]) -> None:
        self.answers = answers

    def __call__(
        self, family: Family, command: int, wanted: bytes = b""
    ) -> list[bytes]:
        assert family == Family(28, 1)
        assert wanted == (b"" if command == 5 else u32(3, 4))
        answer = self.answers[command]
        if isinstance(answer, OSError):
            raise answer
        return answer


def connect(
    monkeypatch: pytest.MonkeyPatch, answers: dict[int, list[bytes] | OSError]
) -> nl80211.Kernel:
    interface = u32(3, 4) + text(4, "wlp1s0") + u32(38, 2412)
    monkeypatch.setattr(genetlink, "find_family", lambda _: Family(28, 1))
    monkeypatch.setattr(genetlink, "dump", Dumps({5: [interface], **answers}))
    kernel = nl80211.Kernel.connect()
    assert list(kernel.interfaces()) == [Interface("wlp1s0", 2412)]
    return kernel


def test_the_kernel_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    in_use = bss(attribute(1, MAC), u32(9, 1))
    kernel = connect(
        monkeypatch, {32: [bss(), in_use], 17: [attribute(6, MAC), station(u32(9, 1))]}
    )
    network = kernel.network("wlp1s0")
    assert network == Network("", "02:fc:00:00:0a:0b", "client")
    assert [s.received_packets for s in kernel.stations("wlp1s0")] == [1]


@pytest.mark.parametrize("code", [errno.ENODEV, errno.EOPNOTSUPP, errno.ENOENT])
def test_an_interface_that_cannot_tell(
    code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = OSError(code, "refused")
    kernel = connect(monkeypatch, {32: refusal, 17: refusal})
    assert kernel.network("wlp1s0") is None
    assert list(kernel.stations("wlp1s0")) == []


def test_another_error_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = connect(monkeypatch, {32: OSError(errno.EIO, "broken"), 17: []})
    with pytest.raises(OSError, match="broken"):
        kernel.network("wlp1s0")


def test_a_signal_is_a_signed_byte() -> None:
    for value in (-128, -1, 0, 127):
        found = nl80211.parse_station(station(attribute(7, struct.pack("b", value))))
        assert found is not None
        assert found.signal_dbm == value
