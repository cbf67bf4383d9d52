"""A FastCGI backend in WordPress' place, which keeps what it was asked."""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self


BEGIN, PARAMS, STDIN, STDOUT, END = 1, 4, 5, 6, 3
HEADER = struct.Struct("!BBHHBx")


@dataclass
class Backend:
    """Answer every request with *head* and the script's name; keep its parameters."""

    head: str = "Content-Type: text/html\r\nX-Powered-By: PHP/8.4\r\n"
    asked: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        backend = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                backend.serve(self.connection)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)

    @property
    def address(self) -> str:
        host, port = self._server.server_address[:2]
        return f"{host!s}:{port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def serve(self, connection: socket.socket) -> None:
        """Answer the one request of a connection."""
        stream = connection.makefile("rb")
        parts = {PARAMS: bytearray(), STDIN: bytearray()}
        while True:
            header = stream.read(HEADER.size)
            if len(header) < HEADER.size:
                return
            _, kind, _, length, padding = HEADER.unpack(header)
            content = stream.read(length)
            stream.read(padding)
            if kind in parts:
                parts[kind] += content
            if kind == STDIN and not length:
                break
        parameters = dict(pairs(bytes(parts[PARAMS])))
        self.asked.append(parameters)
        self.bodies.append(bytes(parts[STDIN]))
        page = f"{self.head}\r\nphp {parameters['SCRIPT_FILENAME']}".encode()
        answer = record(STDOUT, page) + record(STDOUT, b"") + record(END, bytes(8))
        connection.sendall(answer)


def record(kind: int, content: bytes) -> bytes:
    return HEADER.pack(1, kind, 1, len(content), 0) + content


def pairs(data: bytes) -> list[tuple[str, str]]:
    """Return the parameters of a request, as they came."""
    found, at = [], 0
    while at < len(data):
        lengths = []
        for _ in range(2):
            wide = data[at] & 0x80
            size = struct.unpack_from("!I", data, at)[0] & 0x7FFFFFFF if wide else 0
            lengths.append(size or data[at])
            at += 4 if wide else 1
        name, value = data[at : at + lengths[0]], data[at + lengths[0] :][: lengths[1]]
        found.append((name.decode(), value.decode("latin-1")))
        at += sum(lengths)
    return found
