"""Unpack a stream piece by piece, in bounded memory. Sans-IO.

Formats and what they are called are promtail's (targets/file/decompresser.go). As in
Go's readers a gzip or bzip2 file may be several, one after the other; what follows
the last one and is none is ignored.
"""

from __future__ import annotations

import bz2
import zlib
from collections.abc import Callable
from typing import Final, Literal, NamedTuple, Protocol


Format = Literal["gz", "z", "bz2"]


class UnpackError(Exception):
    """The bytes are not what they should be; says what was expected."""


class _Member(Protocol):
    """What unpacks one stream (zlib's and bz2's objects, made alike)."""

    @property
    def eof(self) -> bool:
        """Whether its end was reached."""

    @property
    def rest(self) -> bytes:
        """The bytes after its end."""

    def take(self, data: bytes, limit: int) -> tuple[bytes, bytes]:
        """Return up to *limit* bytes, and what of *data* was not used yet."""


class _Zlib:
    def __init__(self, bits: int) -> None:
        self._object = zlib.decompressobj(bits)

    @property
    def eof(self) -> bool:
        return self._object.eof

    @property
    def rest(self) -> bytes:
        return self._object.unused_data

    def take(self, data: bytes, limit: int) -> tuple[bytes, bytes]:
        unpacked = self._object.decompress(data, limit)
        return unpacked, self._object.unconsumed_tail


class _Bzip2:
    def __init__(self) -> None:
        self._object = bz2.BZ2Decompressor()

    @property
    def eof(self) -> bool:
        return self._object.eof

    @property
    def rest(self) -> bytes:
        return self._object.unused_data

    def take(self, data: bytes, limit: int) -> tuple[bytes, bytes]:
        return self._object.decompress(data, limit), b""


class _Kind(NamedTuple):
    name: str
    new: Callable[[], _Member]
    magic: bytes | None
    """How another member begins; None: there is only one."""


_KINDS: Final[dict[Format, _Kind]] = {
    "gz": _Kind("gzip", lambda: _Zlib(16 + zlib.MAX_WBITS), b"\x1f\x8b"),
    "z": _Kind("zlib", lambda: _Zlib(zlib.MAX_WBITS), None),
    "bz2": _Kind("bzip2", _Bzip2, b"BZh"),
}


class Unpacker:
    """Push packed bytes, pull what they hold."""

    def __init__(self, form: Format) -> None:
        self._kind = _KINDS[form]
        self._member = self._kind.new()
        self._input = b""
        self._failure: UnpackError | None = None

    def push(self, data: bytes) -> None:
        """Take the next packed bytes; call it when `pull` gives nothing more."""
        self._input += data

    def pull(self, limit: int) -> bytes:
        """Return up to *limit* bytes, none when more input is needed.

        Raises UnpackError, and from then on again.
        """
        while True:
            if self._member.eof and not self._next():
                return b""
            unpacked = self._take(limit)
            if self._member.eof:
                self._input = self._member.rest
            if unpacked or not self._member.eof:
                return unpacked

    @property
    def complete(self) -> bool:
        """Whether what was pushed ends where it may end."""
        return self._member.eof

    def _take(self, limit: int) -> bytes:
        if self._failure is not None:
            raise self._failure
        try:
            unpacked, self._input = self._member.take(self._input, limit)
        except (zlib.error, OSError) as error:
            text = f"expected {self._kind.name}: {error}"
            self._failure = UnpackError(text)
            raise self._failure from error
        return unpacked

    def _next(self) -> bool:
        """Begin the next member if there is one."""
        magic = self._kind.magic
        if magic is None or not self._input.startswith(magic):
            if magic is None or not magic.startswith(self._input):
                self._input = b""  # padding or rubbish: as gzip, ignore it
            return False
        self._member = self._kind.new()
        return True
