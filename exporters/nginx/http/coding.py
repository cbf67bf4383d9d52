"""Unpack a body that came compressed, asked for or not: bytes in, bytes out."""

from __future__ import annotations

import zlib


_GZIP = frozenset({b"gzip", b"x-gzip"})


def unpacked(body: bytes, coding: bytes, most: int) -> bytes:
    """Return *body*, packed as *coding* says, and of the result no more than *most*.

    What is packed in another way is returned as it is. Raises zlib.error.
    """
    if coding in _GZIP:
        window = 16 + zlib.MAX_WBITS
    elif coding != b"deflate":
        return body
    else:
        # RFC 9110 §8.4.1.2: with a header of zlib; some leave it out.
        window = zlib.MAX_WBITS if body[0] & 0xF == zlib.DEFLATED else -zlib.MAX_WBITS
    unpacking = zlib.decompressobj(window)
    plain = unpacking.decompress(body, most)
    if len(plain) < most and not unpacking.eof:
        raise zlib.error("the end is missing")
    return plain
