"""Unpack a body that came compressed: bytes in, bytes out, bounded."""

from __future__ import annotations

import zlib
from typing import Final


_GZIP: Final = frozenset({b"gzip", b"x-gzip"})


def unpacked(body: bytes, coding: bytes, most: int) -> bytes:
    """Return *body*, packed as *coding* says, and of the result no more than *most*.

    What is packed in another way is returned as it is, and of a body without its end
    what there is. Raises zlib.error for one that is damaged.
    """
    if coding in _GZIP:
        window = 16 + zlib.MAX_WBITS
    elif coding == b"deflate" and body:
        # RFC 9110 §8.4.1.2: with a header of zlib; some leave it out.
        window = zlib.MAX_WBITS if body[0] & 0xF == zlib.DEFLATED else -zlib.MAX_WBITS
    else:
        return body
    return zlib.decompressobj(window).decompress(body, most)
