"""gzip as a stream, of bounded memory: fast where isal is to be had, else by zlib."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from types import ModuleType


codec: ModuleType = zlib
LEVEL = 6
try:
    import isal.isal_zlib as codec  # the same functions

    LEVEL = 1
except ImportError:  # a platform may have no wheel of it
    pass

CHUNK = 1 << 18
GZIP = 31  # zlib's sign for "with gzip's header"


class DamagedError(Exception):
    """What should be gzip is not, or not all of it."""


def pack(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield *chunks* packed."""
    packer = codec.compressobj(LEVEL, zlib.DEFLATED, GZIP)
    for chunk in chunks:
        if packed := packer.compress(chunk):
            yield packed
    yield packer.flush()


def unpack(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield what was packed, in pieces; raise DamagedError where it is damaged.

    However well something is packed, no more than a piece of it is in memory.
    """
    unpacker = codec.decompressobj(GZIP)
    for chunk in chunks:
        waiting = chunk
        while waiting and not unpacker.eof:
            try:
                piece = unpacker.decompress(waiting, CHUNK)
            except codec.error as error:
                raise DamagedError(str(error)) from error
            if piece:
                yield piece
            waiting = unpacker.unconsumed_tail
        if waiting or unpacker.unused_data:
            raise DamagedError("something follows the end of the gzip stream")
    if not unpacker.eof:
        raise DamagedError("the gzip stream ends early")
