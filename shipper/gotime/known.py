"""Times that were read before: the next line's differs in its fraction at the most."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from shipper.gotime.chunks import Chunk


MAX_TIMES: Final = 256
"""Times that are remembered; then it begins anew."""

_SCALES: Final[list[int]] = [0, *(10**power for power in range(8, -1, -1))]
"""Nanoseconds of the last of so many digits."""

MAX_LENGTH: Final = 64
"""Characters of a text beyond which it is no usual time."""


class Known:
    """The times of one layout, of which *chunks* are the pieces.

    What stands before the fraction of a second, to which times it belongs; behind the
    fraction stands the same in all of them.
    """

    __slots__ = (
        "_begin",
        "_digits",
        "_end",
        "_fixed",
        "_last",
        "_last_time",
        "_tail",
        "_times",
    )

    def __init__(self, chunks: Iterable[Chunk]) -> None:
        # A fraction of nines, or one that no layout asks for, has any length.
        self._fixed = any(
            chunk.field == "fraction" and chunk.text[1] == "0" for chunk in chunks
        )
        self._times: dict[str, int] = {}
        self._begin: int | None = None  # of the digits; None: there is no fraction
        self._end: int | None = None  # counted from behind
        self._tail = ""
        self._digits = 0
        self._last, self._last_time = "", 0

    def find(self, text: str) -> int | None:
        """Return the time of *text* in nanoseconds, None when it has to be read."""
        begin = self._begin
        if begin is None:
            return self._times.get(text)
        if not text.startswith(self._last):  # mostly it does: no look-up
            head = text[:begin]
            if head not in self._times:
                return None
            self._last, self._last_time = head, self._times[head]
        digits = text[begin : self._end]
        count = len(digits)
        if not (digits.isdigit() and digits.isascii() and count < len(_SCALES)):
            return None
        if not text.endswith(self._tail) or (self._fixed and count != self._digits):
            return None
        return self._last_time + int(digits) * _SCALES[count]

    def add(self, text: str, time: int, fraction: tuple[int, int]) -> None:
        """Remember the *time* of *text*, whose *fraction* is there, or empty."""
        if len(text) > MAX_LENGTH or not text.isascii():
            return
        start, end = fraction
        digits = text[start + 1 : end]
        if start == end:
            self._keep(text, time, None, "", 0)
        elif digits.isdigit() and len(digits) < len(_SCALES):  # a sign is one to Go
            time -= int(digits) * _SCALES[len(digits)]
            count = len(digits) if self._fixed else 0
            self._keep(text[: start + 1], time, start + 1, text[end:], count)

    def _keep(
        self, head: str, time: int, begin: int | None, tail: str, digits: int
    ) -> None:
        shape = (begin, tail, digits)
        before = (self._begin, self._tail, self._digits)
        if shape != before or len(self._times) >= MAX_TIMES:
            self._times.clear()
            self._begin, self._tail, self._digits = shape
            self._end = -len(tail) or None
        self._times[head] = time
        self._last, self._last_time = head, time
