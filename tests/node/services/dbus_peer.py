"""A peer that speaks D-Bus on a socket, in a thread: the other end of a scrape."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jeepney import (  # type: ignore[import-untyped]
    HeaderFields,
    Message,
    Parser,
    new_error,
    new_method_return,
)


Send = Callable[[bytes], None]
Handle = Callable[[Message, Send], None]
"""Given a call, send an answer; or none."""


class Peer:
    """Serves *handle* to everyone who connects; *calls* is what was asked."""

    def __init__(self, listener: socket.socket, handle: Handle | None) -> None:
        self.calls: list[Message] = []
        self.connections: list[socket.socket] = []
        self._listener = listener
        self._handle = handle

    def run(self) -> None:
        with contextlib.suppress(OSError):  # the test is over
            while True:
                connection, _ = self._listener.accept()
                self.connections.append(connection)
                if self._handle is not None:
                    with contextlib.suppress(ConnectionError):  # that one is gone
                        self._serve(connection, self._handle)

    def _serve(self, connection: socket.socket, handle: Handle) -> None:
        line, _ = _until_line_end(connection)
        assert line.startswith(b"\0AUTH EXTERNAL ")
        connection.sendall(b"OK 1234deadbeef\r\n")
        line, data = _until_line_end(connection)
        assert line == b"BEGIN"
        parser = Parser()
        while True:
            for message in parser.feed(data):
                self.calls.append(message)
                handle(message, connection.sendall)
            data = connection.recv(4096)
            if not data:
                return

    def names(self) -> list[str]:
        """Return the members that were called, ``Get`` with its property."""
        return [
            f"Get {call.body[1]}" if member == "Get" else member
            for call in self.calls
            for member in [call.header.fields[HeaderFields.member]]
        ]


def _until_line_end(connection: socket.socket) -> tuple[bytes, bytes]:
    data = b""
    while b"\r\n" not in data:
        chunk = connection.recv(4096)
        if not chunk:
            raise ConnectionResetError
        data += chunk
    line, _, rest = data.partition(b"\r\n")
    return line, rest


@contextmanager
def listening(path: Path, handle: Handle | None) -> Iterator[Peer]:
    """Serve *handle* at the socket *path*; None accepts and says nothing, ever."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        peer = Peer(listener, handle)
        thread = threading.Thread(target=peer.run, daemon=True)
        thread.start()
        try:
            yield peer
        finally:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            for connection in peer.connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            thread.join(10)
            for connection in peer.connections:
                connection.close()


Replies = Mapping[tuple[str, str], tuple[str, tuple[Any, ...]]]
"""(object path, member or interface.property) -> (signature, arguments)."""


def answering(replies: Replies) -> Handle:
    """Return a bus with one service on it, that answers what *replies* say.

    Everything else gets the error of an object that does not exist.
    """

    def handle(call: Message, send: Send) -> None:
        send(reply(call, replies).serialise(serial=1))

    return handle


def reply(call: Message, replies: Replies) -> Message:
    fields = call.header.fields
    path, member = fields[HeaderFields.path], fields[HeaderFields.member]
    if member == "Hello":
        return new_method_return(call, "s", (":1.7",))
    if member == "Get":
        interface, name = call.body
        member = f"{interface.rpartition('.')[2]}.{name}"
    if (path, member) not in replies:
        error = "org.freedesktop.DBus.Error.UnknownObject"
        return new_error(call, error, "s", (f"Unknown object '{path}'.",))
    signature, arguments = replies[path, member]
    if member.count("."):
        return new_method_return(call, "v", ((signature, arguments[0]),))
    return new_method_return(call, signature, arguments)
