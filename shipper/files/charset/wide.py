"""UTF-8 and UTF-16, read as Go does: what is ill-formed becomes U+FFFD."""

from __future__ import annotations

import re
from typing import Final, Literal


Order = Literal["utf-16-le", "utf-16-be"]
"""Which byte of a unit comes first; Python's names."""

BOMS: Final[dict[bytes, Order]] = {
    b"\xff\xfe": "utf-16-le",
    b"\xfe\xff": "utf-16-be",
}

NEWLINES: Final[dict[Order, bytes]] = {"utf-16-le": b"\n\0", "utf-16-be": b"\0\n"}

# As Go: a second half that follows a half that has none is taken with it.
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff][\udc00-\udfff]?")


def decode_utf8(line: bytes) -> bytes:
    """Return *line* well-formed. A byte order mark stays, as in Go."""
    return line if line.isascii() else line.decode("utf-8", "replace").encode()


def decode_utf16(line: bytes, order: Order) -> bytes:
    """Return *line* as UTF-8. A byte order mark stays, as in Go for a fixed order."""
    whole = len(line) & ~1
    text = line[:whole].decode(order, "surrogatepass")
    if _LONE_SURROGATE.search(text):
        text = _LONE_SURROGATE.sub("\ufffd", text)
    if whole < len(line):
        text += "\ufffd"
    return text.encode()
