"""Remember the last lines of a stream, to know one by when Docker gives it again.

Pure: no I/O, no clock.
"""

from __future__ import annotations

from array import array


REMEMBERED_LINES = 4096
"""Lines per stream among which a repeated one is recognised (12 bytes each)."""


class Remembered:
    """The times and checksums of at least the last `REMEMBERED_LINES` lines.

    *forgotten_ns* is the greatest time of the lines before those: of a line with a
    later time it can be said whether it was read.
    """

    __slots__ = ("_checksums", "_index", "_times", "forgotten_ns")

    def __init__(self, forgotten_ns: int = 0) -> None:
        self._times = array("q")
        self._checksums = array("I")
        # Made when it is first asked for: ten times as large as the arrays, and most
        # containers never need it. A scan of the arrays takes 100 us.
        self._index: set[tuple[int, int]] | None = None
        self.forgotten_ns = forgotten_ns

    def __len__(self) -> int:
        return len(self._times)

    def add(self, timestamp_ns: int, checksum: int) -> None:
        """Remember a line, and forget the oldest when there are too many."""
        self._times.append(timestamp_ns)
        self._checksums.append(checksum)
        if self._index is not None:
            self._index.add((timestamp_ns, checksum))
        if len(self._times) > 2 * REMEMBERED_LINES:
            self._forget(REMEMBERED_LINES)

    def extend(self, times: list[int], checksums: list[int]) -> None:
        """Remember lines, as `add` does each."""
        self._times.fromlist(times)
        self._checksums.fromlist(checksums)
        if self._index is not None:
            self._index.update(zip(times, checksums, strict=True))
        if len(self._times) > 2 * REMEMBERED_LINES:
            self._forget(len(self._times) - REMEMBERED_LINES)

    def has(self, timestamp_ns: int, checksum: int) -> bool:
        """Say whether a line is remembered."""
        if self._index is None:
            self._index = set(zip(self._times, self._checksums, strict=True))
        return (timestamp_ns, checksum) in self._index

    def _forget(self, count: int) -> None:
        newest_ns = max(self._times[:count])
        self.forgotten_ns = max(self.forgotten_ns, newest_ns)
        del self._times[:count]
        del self._checksums[:count]
        self._index = None
