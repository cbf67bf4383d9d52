"""Cut UTF-16 into lines: a newline is two bytes, at an even place.

promtail cuts at the byte 0x0A wherever it stands: of little-endian files it garbles
every line but the first, of big-endian ones it ends every line with U+FFFD.
"""

from __future__ import annotations

from functools import partial

from shipper.files.charset.wide import BOMS, NEWLINES, Order, decode_utf16
from shipper.files.splitter import MAX_LINE_BYTES, LineSplitter


BOM_BYTES = 2


class Utf16Splitter(LineSplitter):
    """A `LineSplitter` for UTF-16 in the byte order *order*.

    No order: the byte order mark at the beginning of the file tells it, and is no text
    then; without one the most significant byte comes first. Bytes are taken by twos:
    ``offset`` says where to go on. An odd one to begin at, as promtail leaves it, is
    within a newline.
    """

    newline_bytes = 2

    def __init__(
        self,
        offset: int = 0,
        max_line_bytes: int = MAX_LINE_BYTES,
        *,
        keep_cr: bool = False,
        order: Order | None = None,
    ) -> None:
        super().__init__(offset + offset % 2, max_line_bytes & ~1, keep_cr=keep_cr)
        self._marked = order is None
        self._set_order(order or "utf-16-be")

    def begins(self, beginning: bytes) -> None:
        """Take the byte order from the mark in *beginning*, if it is to tell it."""
        order = BOMS.get(beginning[:BOM_BYTES])
        if self._marked and order is not None:
            self._set_order(order)
            if self.offset == 0:
                self.offset = self._line_start = BOM_BYTES

    def _set_order(self, order: Order) -> None:
        self._newline = NEWLINES[order]
        self._decode = partial(decode_utf16, order=order)

    def _cut(self, data: bytes) -> list[bytes]:
        data = data[: len(data) & ~1]
        pieces = []
        begin, found = 0, data.find(self._newline)
        while found >= 0:
            if found % 2:
                found = data.find(self._newline, found + 1)
            else:
                pieces.append(data[begin:found])
                begin = found + 2
                found = data.find(self._newline, begin)
        pieces.append(data[begin:])
        return pieces
