"""Times that were read before: the next line's differs in its fraction at the most."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from shipper.gotime.chunks import Chunk


MAX_TIMES: Final = 256
"""Times that are remembered; then it begins anew."""

MAX_LENGTH: Final = 64
"""Characters of a text beyond which it is no usual time."""


class Known:
    """The times of one layout, of which *chunks* are the pieces.

    What stands before the fraction of a second, to which times it belongs; behind the
    fraction stands the same in all of them.
    """

    __slots__ = ("_cut", "_digits", "_fixed", "_tail", "_times")

    def __init__(self, chunks: Iterable[Chunk]) -> None:
        # A fraction of nines, or one that no layout asks for, has any length.
        self._fixed = any(
            chunk.field == "fraction" and chunk.text[1] == "0" for chunk in chunks
        )
        self._times: dict[str, int] = {}
        self._cut: int | None = None  # where the fraction begins; None: there is none
        self._tail = ""
        self._digits = 0

    def find(self, text: str) -> int | None:
        """Return the time of *text* in nanoseconds, None when it has to be read."""
        cut = self._cut
        time = self._times.get(text[:cut])
        if time is None or cut is None:
            return time
        end = len(text) - len(self._tail)
        digits = text[cut + 1 : end]
        if (
            text[cut : cut + 1] not in ".,"
            or text[end:] != self._tail
            or not (digits.isascii() and digits.isdigit())
            or (self._fixed and len(digits) != self._digits)
        ):
            return None
        return time + int(digits[:9].ljust(9, "0"))

    def add(self, text: str, time: int, fraction: tuple[int, int]) -> None:
        """Remember the *time* of *text*, whose *fraction* is there, or empty."""
        if len(text) > MAX_LENGTH or not text.isascii():
            return
        start, end = fraction
        digits = text[start + 1 : end]
        shape: tuple[int | None, str, int] = (None, "", 0)
        if start == end:
            pass
        elif digits.isdigit():
            shape = (start, text[end:], len(digits) if self._fixed else 0)
            time -= int(digits[:9].ljust(9, "0"))
        else:
            return  # Go reads a sign as a digit
        if (
            shape != (self._cut, self._tail, self._digits)
            or len(self._times) >= MAX_TIMES
        ):
            self._times.clear()
            self._cut, self._tail, self._digits = shape
        self._times[text[:start] if start != end else text] = time
