from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, strategies as st
from jeepney import (  # type: ignore[import-untyped]
    HeaderFields,
    Message,
    new_error,
    new_method_return,
)

from exporters.node import deadline
from exporters.node.services import dbus
from exporters.node.services.dbus_messages import DBusError, Service, value
from tests.node.services.dbus_peer import Handle, Send, answering, listening


SERVICE = Service("com.example.Clock", "/com/example/Clock")


def get(name: str) -> Message:
    return SERVICE.get("/com/example/Clock/1", "Hand", name)


def soon(seconds: float = 10.0) -> float:
    return time.monotonic() + seconds


@contextlib.contextmanager
def connected(
    folder: Path, handle: Handle | None, seconds: float = 10.0
) -> Iterator[dbus.Connection]:
    """Yield a connection to a peer that does what *handle* says."""
    path = folder / "bus"
    with (
        listening(path, handle),
        dbus.connect(str(path), soon(seconds)) as connection,
    ):
        yield connection


class Held:
    """Keeps calls back until there are *count* of them, then answers backwards."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._calls: list[Message] = []
        self.batches: list[int] = []

    def __call__(self, call: Message, send: Send) -> None:
        if call.header.fields[HeaderFields.member] == "Hello":
            send(new_method_return(call, "s", (":1.1",)).serialise(serial=1))
            return
        self._calls.append(call)
        if len(self._calls) == self._count:
            self.batches.append(len(self._calls))
            for one in reversed(self._calls):
                answer = new_method_return(one, "v", (("s", one.body[1]),))
                send(answer.serialise(serial=1))
            self._calls.clear()


def test_calls_are_sent_before_the_first_answer_and_answered_in_their_order(
    tmp_path: Path,
) -> None:
    names = ["Hour", "Minute", "Second"]
    with connected(tmp_path, Held(3)) as connection:
        answers = connection.call(map(get, names))
        assert [value(answer, "s") for answer in answers] == names


def test_no_more_calls_are_under_way_than_a_system_bus_allows(tmp_path: Path) -> None:
    # A peer that answers only when it has 64 calls would wait for ever with fewer,
    # and dbus-daemon answers the 129th with LimitsExceeded.
    held = Held(64)
    names = [f"N{number}" for number in range(192)]
    with connected(tmp_path, held) as connection:
        answers = connection.call(map(get, names))
        assert [value(answer, "s") for answer in answers] == names
    assert held.batches == [64, 64, 64]


def test_an_error_concerns_one_call_only(tmp_path: Path) -> None:
    replies = {("/com/example/Clock/1", "Hand.Hour"): ("u", (11,))}
    with connected(tmp_path, answering(replies)) as connection:
        missing, hour = connection.call([get("Minute"), get("Hour")])
    assert value(hour, "u") == 11
    with pytest.raises(DBusError, match="Unknown object '/com/example"):
        value(missing, "u")


def test_a_value_of_another_type_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a property of type s"):
        value((("u", 3),), "s")


def test_an_error_without_a_text_shows_its_name(tmp_path: Path) -> None:
    def handle(call: Message, send: Send) -> None:
        send(new_error(call, "com.example.Error.Late").serialise(serial=1))

    with (
        pytest.raises(DBusError, match=r"^com\.example\.Error\.Late$"),
        connected(tmp_path, handle),
    ):
        pass


def mute(call: Message, send: Send) -> None:
    """Let anyone in and answer nothing else."""
    if call.header.fields[HeaderFields.member] == "Hello":
        send(new_method_return(call, "s", (":1.1",)).serialise(serial=1))


def dripping(call: Message, send: Send) -> None:
    """Begin an answer and never get to its end."""
    mute(call, send)
    if call.header.fields[HeaderFields.member] != "Hello":
        data = new_method_return(call, "s", ("x" * 10_000,)).serialise(serial=1)
        for byte in data[:20]:
            send(bytes([byte]))


@pytest.mark.parametrize("handle", [None, mute, dripping])
def test_a_peer_that_does_not_answer_costs_no_more_than_the_time_given(
    tmp_path: Path, handle: Handle | None
) -> None:
    began = time.monotonic()
    with (
        pytest.raises(TimeoutError, match=r"bus did not answer within 0\.\d+ s"),
        connected(tmp_path, handle, seconds=0.3) as connection,
    ):
        list(connection.call([get("Hour")]))
    assert time.monotonic() - began < 2


def test_a_peer_that_lets_nobody_in_leaves_time_for_another_way(tmp_path: Path) -> None:
    until = soon(2)
    with pytest.raises(TimeoutError), connected(tmp_path, None, seconds=2):
        pass
    assert until - time.monotonic() > 1


def test_a_peer_that_hangs_up_is_an_error() -> None:
    with fed(b"") as connection, pytest.raises(ConnectionResetError, match="closed"):
        list(connection.call([get("Hour")]))


def test_a_peer_that_does_not_know_us_is_an_error() -> None:
    with (
        fed(b"REJECTED DBUS_COOKIE_SHA1\r\n") as connection,
        pytest.raises(ValueError, match="Authentication failed"),
    ):
        connection.authenticate()


def test_no_socket_is_an_error_that_names_it(tmp_path: Path) -> None:
    reason = f"dial unix {tmp_path}/none: connect: no such file or directory"
    with (
        pytest.raises(FileNotFoundError, match=f"^{reason}$"),
        dbus.connect(f"{tmp_path}/none", soon()),
    ):
        pass


@contextlib.contextmanager
def fed(data: bytes) -> Iterator[dbus.Connection]:
    """Yield a connection whose peer says *data*, whatever is asked, and hangs up."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(data)
        theirs.shutdown(socket.SHUT_WR)
        yield dbus.Connection(ours, soon())


def answer_bytes() -> bytes:
    call = get("Hour")
    call.header.serial = 1
    units = [("a.service", "", "loaded", "active", "running", "", "/a", 0, "", "/")]
    body = (("a(ssssssouso)", units),)
    data: bytes = new_method_return(call, "v", body).serialise(serial=9)
    return data


def test_the_answer_that_is_damaged_below_is_read() -> None:
    with fed(answer_bytes()) as connection:
        (answer,) = connection.call([get("Hour")])
        assert value(answer, "a(ssssssouso)")[0][0] == "a.service"


@given(data=st.data())
def test_a_damaged_answer_raises_only_value_error_or_os_error(
    data: st.DataObject,
) -> None:
    good = answer_bytes()
    start = data.draw(st.integers(0, len(good)))
    end = data.draw(st.integers(start, min(len(good), start + 16)))
    damaged = good[:start] + data.draw(st.binary(max_size=16)) + good[end:]
    with fed(damaged) as connection, contextlib.suppress(ValueError, OSError):
        list(connection.call([get("Hour")]))


@given(noise=st.binary(max_size=200))
def test_noise_raises_only_value_error_or_os_error(noise: bytes) -> None:
    with fed(noise) as connection, pytest.raises((ValueError, OSError)):
        list(connection.call([get("Hour")]))


def test_a_nest_of_variants_is_refused() -> None:
    deep = b"\x01v\x00" * 20_000
    call = get("Hour")
    call.header.serial = 1
    message = new_method_return(call, "v", (("s", "x" * len(deep)),))
    data = message.serialise(serial=9)
    start = len(data) - len("\1s\0") - 1 - 4 - len(deep) - 1  # where the body begins
    nested = data[:start] + deep + b"\0" * (len(data) - start - len(deep))
    with fed(nested) as connection, pytest.raises(ValueError, match="RecursionError"):
        list(connection.call([get("Hour")]))


def test_a_message_that_claims_to_be_huge_is_refused() -> None:
    header = b"l\x02\x00\x01" + (2**31 - 1).to_bytes(4, "little") + bytes(8)
    with fed(header) as connection, pytest.raises(ValueError, match="32 MiB"):
        list(connection.call([get("Hour")]))


def test_the_deadline_is_that_of_the_scrape_with_time_to_spare() -> None:
    with deadline.within(5):
        left = dbus.deadline() - time.monotonic()
        assert 4 < left < 5
    assert 20 < dbus.deadline() - time.monotonic() <= 25


def test_the_system_bus_is_where_the_environment_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/run/a%20b,guid=12")
    assert dbus.system_bus() == "/run/a b"
    monkeypatch.delenv("DBUS_SYSTEM_BUS_ADDRESS")
    assert dbus.system_bus() == "/var/run/dbus/system_bus_socket"


@pytest.mark.parametrize("address", ["nonsense", "tcp:host=a,port=1", "unix:"])
def test_an_address_that_is_none_is_named(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
    with pytest.raises(ValueError, match=f"got '{address}'"):
        dbus.system_bus()
