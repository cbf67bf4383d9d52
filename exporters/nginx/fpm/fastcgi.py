"""Speak FastCGI: parameters in, bytes out; bytes in, an answer out. No sockets here.

One request of the role "responder" on a connection of its own. It is not kept: a
connection that stays open keeps a child of php-fpm to itself.
Source: FastCGI Specification 1.0, sections 3.3, 3.4, 5 and 6.2.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping

from exporters.nginx.fpm.errors import FpmError
from exporters.nginx.stub_status import excerpt


VERSION = 1
REQUEST_ID = 1
BEGIN_REQUEST, END_REQUEST, PARAMS, STDIN, STDOUT, STDERR = 1, 3, 4, 5, 6, 7
RESPONDER = 1

# A record: version, type, request, length of the content, padding, one byte unused.
HEADER = struct.Struct("!BBHHBx")
_BEGIN = struct.Struct("!HB5x")  # role, flags (0: close the connection afterwards)
_END = struct.Struct("!IB3x")  # exit code, how the request ended
MAX_CONTENT_BYTES = 0xFFFF

# php-fpm says in one line on stderr what it did not like.
MAX_STDERR_BYTES = 256

_REFUSALS = {1: "CANT_MPX_CONN", 2: "OVERLOADED", 3: "UNKNOWN_ROLE"}


def encode_request(params: Mapping[str, str]) -> bytes:
    """Return the records of a request that has *params* and no body."""
    pairs = b"".join(_pair(name, value) for name, value in params.items())
    return b"".join(
        (
            _record(BEGIN_REQUEST, _BEGIN.pack(RESPONDER, 0)),
            *(_record(PARAMS, part) for part in _parts(pairs)),
            _record(PARAMS, b""),
            _record(STDIN, b""),
        )
    )


def _record(kind: int, content: bytes) -> bytes:
    return HEADER.pack(VERSION, kind, REQUEST_ID, len(content), 0) + content


def _parts(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), MAX_CONTENT_BYTES):
        yield data[start : start + MAX_CONTENT_BYTES]


def _pair(name: str, value: str) -> bytes:
    key, data = (text.encode("utf-8", "surrogateescape") for text in (name, value))
    return _length(len(key)) + _length(len(data)) + key + data


def _length(size: int) -> bytes:
    if size < 0x80:
        return bytes((size,))
    return struct.pack("!I", size | 0x8000_0000)


class Answer:
    """Take the answer to one request, in pieces of any size.

    *stdout* holds no more than *max_bytes*, *stderr* the first MAX_STDERR_BYTES.
    *complete* says that the request has ended; what comes later is left alone.
    """

    def __init__(self, max_bytes: int) -> None:
        self.stdout = bytearray()
        self.stderr = bytearray()
        self.complete = False
        self._max_bytes = max_bytes
        self._pending = bytearray()
        self._begun = False

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the connection.

        Raises FpmError, and nothing else, for what is not FastCGI, for a request
        that was refused, and for more than *max_bytes*.
        """
        self._begun = self._begun or bool(data)
        self._pending += data
        while not self.complete and self._take_record():
            pass

    def end(self) -> None:
        """Take note that the connection was closed; raise FpmError if too early."""
        if self.complete:
            return
        if self._begun:
            raise FpmError("answer ends too early, expected an END_REQUEST record")
        raise FpmError(
            "connection closed without an answer, expected a FastCGI record: may "
            "this address ask (listen.allowed_clients of the pool)?"
        )

    def _take_record(self) -> bool:
        pending = self._pending
        if pending and pending[0] != VERSION:
            raise FpmError(
                f"expected a FastCGI record, got {excerpt(bytes(pending))}: "
                "is this the address of php-fpm?"
            )
        if len(pending) < HEADER.size:
            return False
        _, kind, request, length, padding = HEADER.unpack_from(pending)
        end = HEADER.size + length
        if len(pending) < end + padding:
            return False
        content = bytes(pending[HEADER.size : end])
        del pending[: end + padding]
        if request == REQUEST_ID:  # 0: about the connection; another: not asked for
            self._take(kind, content)
        return True

    def _take(self, kind: int, content: bytes) -> None:
        if kind == STDOUT:
            self.stdout += content
            if len(self.stdout) > self._max_bytes:
                raise FpmError(
                    f"expected a status page, got more than {self._max_bytes} bytes"
                )
        elif kind == STDERR:
            self.stderr += content[: MAX_STDERR_BYTES - len(self.stderr)]
        elif kind == END_REQUEST:
            self._finish(content)

    def _finish(self, content: bytes) -> None:
        if len(content) != _END.size:
            raise FpmError(
                f"END_REQUEST record: expected {_END.size} bytes, got {len(content)}"
            )
        _, outcome = _END.unpack(content)
        if outcome:
            name = _REFUSALS.get(outcome, f"protocol status {outcome}")
            raise FpmError(f"request refused: {name}, expected REQUEST_COMPLETE")
        self.complete = True
