"""How the text of a job's files is written, as its config says."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from shipper.files.charset.decoder import decoder, is_utf16
from shipper.files.charset.names import canonical
from shipper.files.charset.wide import Order
from shipper.files.splitter import LineSplitter
from shipper.files.utf16 import Utf16Splitter


MakeSplitter = Callable[[int, int], LineSplitter]
"""From an offset and the longest line to what cuts the bytes that follow there."""

_ORDERS: dict[str, Order] = {"utf-16le": "utf-16-le", "utf-16be": "utf-16-be"}


def splitters(encoding: str = "", *, keep_cr: bool = True) -> MakeSplitter:
    r"""Return what makes splitters for files in *encoding*; none: bytes as they are.

    *keep_cr* leaves a ``\r`` at the end of a line, as promtail does (but not in
    archives). Raises ValueError for an encoding that is unknown.
    """
    if not encoding.strip():
        return partial(LineSplitter, keep_cr=keep_cr)
    if is_utf16(encoding):
        order = _ORDERS.get(canonical(encoding))
        return partial(Utf16Splitter, keep_cr=keep_cr, order=order)
    return partial(LineSplitter, keep_cr=keep_cr, decode=decoder(encoding))
