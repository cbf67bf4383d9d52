"""Ask a D-Bus service, many questions in one round trip, all under one deadline.

Counterpart of godbus and go-systemd as far as node_exporter uses them. Messages and
authentication are jeepney's, which knows no socket (D-Bus specification); the socket
is here, because every wait on it needs an end: upstream waits for ever for a peer that
has stopped answering (node_exporter#1535, #1970, #2513, #3649).

Import this only for a collector that is switched on: jeepney is behind it.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import count, islice

import jeepney  # type: ignore[import-untyped]
from jeepney.auth import BEGIN, Authenticator  # type: ignore[import-untyped]
from jeepney.bus import find_system_bus  # type: ignore[import-untyped]

from exporters.node.deadline import patience
from exporters.node.errno_text import error_text
from exporters.node.services.dbus_messages import (
    Answer,
    Reply,
    arguments,
    parsed,
    read_reply,
)


# dbus-daemon lets a connection to the system bus wait for 128 replies at a time.
_IN_FLIGHT = 64
_RECEIVE_BYTES = 65_536
# The specification allows 128 MiB; ten thousand units are about 3 MB.
_LARGEST_MESSAGE_BYTES = 32 * 1024 * 1024
# libdbus' own limit for a call; a scrape usually waits less.
_PATIENCE_SECONDS = 25.0
# Of that, for getting in. A bus that needs longer answers nothing else in time either,
# and there is a second way to systemd.
_HANDSHAKE_SHARE = 0.25


class Connection:
    """A connection for one scrape; every method may raise what :func:`connect` does.

    It is not kept from one scrape to the next: making it is two or three round trips,
    and one that is kept may hold late answers or a peer that was restarted.
    """

    def __init__(self, connection: socket.socket, until: float) -> None:
        """Talk over *connection*; no wait lasts longer than the monotonic *until*."""
        self._socket = connection
        self.until = until
        self._parser = jeepney.Parser()
        self._serials = count(1)

    def connect(self, path: str) -> None:
        """Connect to the socket at *path*."""
        try:
            self._limit_wait()
            self._socket.connect(path)
        except OSError as error:
            reason = f"dial unix {path}: connect: {error_text(error)}"
            raise type(error)(reason) from error

    def authenticate(self) -> None:
        """Say who we are, as EXTERNAL: the peer asks the kernel."""
        conversation = Authenticator()
        for request in conversation:
            self._send(request)
            conversation.feed(self._receive())
        self._send(BEGIN)

    def hello(self) -> None:
        """Join the bus. A private socket is no bus and knows no such call."""
        self.ask([jeepney.message_bus.Hello()])

    def ask(self, calls: Iterable[jeepney.Message]) -> list[Answer]:
        """Return the answers to *calls*. Raises DBusError for the first error."""
        return [arguments(reply) for reply in self.call(calls)]

    def call(self, calls: Iterable[jeepney.Message]) -> Iterator[Reply]:
        """Yield the answer to each of *calls*, in their order.

        Many are sent before the first answer is waited for.
        """
        rest = iter(calls)
        while batch := list(islice(rest, _IN_FLIGHT)):
            serials = list(islice(self._serials, len(batch)))
            pairs = zip(batch, serials, strict=True)
            self._send(b"".join(call.serialise(serial=n) for call, n in pairs))
            yield from self._answers(serials)

    def _answers(self, serials: list[int]) -> list[Reply]:
        answers: dict[int, Reply] = {}
        missing = set(serials)
        while missing:
            message = self._next_message()
            serial = message.header.fields.get(jeepney.HeaderFields.reply_serial)
            if serial in missing:  # everything else is a signal
                missing.discard(serial)
                answers[serial] = read_reply(message)
        return [answers[serial] for serial in serials]

    def _next_message(self) -> jeepney.Message:
        while (message := parsed(self._parser.get_next_message)) is None:
            if parsed(self._parser.bytes_desired) > _LARGEST_MESSAGE_BYTES:
                raise ValueError("dbus: the peer sends a message larger than 32 MiB")
            self._parser.add_data(self._receive())
        return message

    def _send(self, data: bytes) -> None:
        if data:
            self._limit_wait()
            self._socket.sendall(data)

    def _receive(self) -> bytes:
        self._limit_wait()
        data = self._socket.recv(_RECEIVE_BYTES)
        if not data:
            raise ConnectionResetError("dbus: the peer closed the connection")
        return data

    def _limit_wait(self) -> None:
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)


def deadline() -> float:
    """Return until when, in monotonic seconds, a scrape may wait for a peer."""
    return time.monotonic() + patience(_PATIENCE_SECONDS)


@contextmanager
def connect(path: str, until: float, *, is_bus: bool = True) -> Iterator[Connection]:
    """Yield a connection to the socket at *path* that is good until *until*.

    Raises OSError (TimeoutError past that) and ValueError for a peer that does not
    speak D-Bus.
    """
    began = time.monotonic()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as end:
        connection = Connection(end, began + (until - began) * _HANDSHAKE_SHARE)
        try:
            connection.connect(path)
            connection.authenticate()
            if is_bus:
                connection.hello()
            connection.until = until
            yield connection
        except TimeoutError as error:  # Python's own text says only "timed out"
            waited = time.monotonic() - began
            reason = f"dbus: {path} did not answer within {waited:.3g} s"
            raise TimeoutError(reason) from error


def system_bus() -> str:
    """Return where the system bus is, ``$DBUS_SYSTEM_BUS_ADDRESS`` or its usual place.

    Raises ValueError for an address that is none.
    """
    try:
        path: str = find_system_bus()
    except (RuntimeError, StopIteration, ValueError) as error:
        address = os.environ.get("DBUS_SYSTEM_BUS_ADDRESS")
        raise ValueError(
            f"DBUS_SYSTEM_BUS_ADDRESS: expected unix:path=..., got {address!r}"
        ) from error
    return path
