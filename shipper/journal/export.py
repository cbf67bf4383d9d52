r"""Read the journal export format. Sans-IO: any split gives the same entries.

An entry is a row of fields and an empty line. A field is ``NAME=text\n`` or, for any
bytes, ``NAME\n``, their number as 8 bytes, the least first, the bytes, ``\n``
(systemd.io/JOURNAL_EXPORT_FORMATS).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field


MAX_VALUE_BYTES = 1024 * 1024
MAX_ENTRY_BYTES = 4 * 1024 * 1024
MAX_FIELDS = 2048
MAX_NAME_BYTES = 256
"""Names have 64 characters at most; a line without ``=`` that goes on is none."""

SIZE_BYTES = 8

CURSOR = "__CURSOR"
REALTIME = "__REALTIME_TIMESTAMP"


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One entry: its *fields* without those that say where it is."""

    cursor: str
    realtime_us: int
    fields: Mapping[str, bytes]


@dataclass(slots=True)
class _Draft:
    """An entry whose end has not come yet."""

    fields: dict[str, bytes] = field(default_factory=dict)
    size: int = 0

    def put(self, name: bytes, value: bytes) -> bool:
        """Add a field; return whether there was room. Of two the last one counts."""
        size = self.size + len(name) + len(value)
        if size > MAX_ENTRY_BYTES or len(self.fields) >= MAX_FIELDS:
            return False
        self.size = size
        self.fields[name.decode("ascii", "replace")] = value
        return True

    def entry(self) -> JournalEntry | None:
        """Return the entry, None if it does not say where it is."""
        cursor = self.fields.get(CURSOR, b"").decode("ascii", "replace")
        realtime = self.fields.get(REALTIME, b"")
        if not cursor or not realtime.isdigit() or len(realtime) > 20:
            return None
        fields = {k: v for k, v in self.fields.items() if not k.startswith("__")}
        return JournalEntry(cursor, int(realtime), fields)


class ExportParser:
    """Feed it what journalctl writes.

    Of a value longer than *max_value_bytes* the beginning is kept; ``truncated``
    counts those, and fields that found no room. ``malformed`` counts entries that say
    not where they are.
    """

    def __init__(self, max_value_bytes: int = MAX_VALUE_BYTES) -> None:
        self.truncated = 0
        self.malformed = 0
        self._max = max_value_bytes
        self._draft = _Draft()
        self._data = b""
        self._at = 0
        """Up to where the data is looked at."""
        self._held = bytearray()
        """The beginning of what is being read."""
        self._cut = False
        self._name = b""
        """Of the binary field that is being read."""
        self._left = 0
        """How many bytes of its value are to come."""
        self._step = self._line

    def feed(self, data: bytes) -> Iterator[JournalEntry]:
        """Yield the entries that end in *data*; iterate over all of them."""
        self._data, self._at = data, 0
        while self._at < len(data):
            entry = self._step()
            if entry is not None:
                yield entry

    # Each step goes on in the data and says what comes next.

    def _line(self) -> JournalEntry | None:
        end = self._data.find(b"\n", self._at)
        piece = self._data[self._at : end if end >= 0 else None]
        self._hold(piece, MAX_NAME_BYTES + self._max)
        self._at += len(piece) + 1
        if end < 0:
            return None
        whole = self._take()
        name, equals, value = whole.partition(b"=")
        if not whole:
            return self._end()
        if equals:
            self._put(name, value)
        else:
            self._name = name
            self._step = self._size
        return None

    def _size(self) -> None:
        piece = self._next(SIZE_BYTES - len(self._held))
        self._hold(piece, SIZE_BYTES)
        if len(self._held) == SIZE_BYTES:
            self._left = int.from_bytes(self._take(), "little")
            self._step = self._binary

    def _binary(self) -> None:
        if self._left:
            piece = self._next(self._left)
            self._hold(piece, self._max)
            self._left -= len(piece)
            return
        self._at += 1  # the newline behind it
        self._put(self._name, self._take())
        self._step = self._line

    def _next(self, size: int) -> bytes:
        piece = self._data[self._at : self._at + size]
        self._at += len(piece)
        return piece

    def _hold(self, piece: bytes, limit: int) -> None:
        room = limit - len(self._held)
        self._held += piece[:room] if len(piece) > room else piece
        self._cut = self._cut or len(piece) > room

    def _take(self) -> bytes:
        whole = bytes(self._held)
        self._held.clear()
        return whole

    def _put(self, name: bytes, value: bytes) -> None:
        if len(value) > self._max:
            value, self._cut = value[: self._max], True
        fits = self._draft.put(name, value)
        self.truncated += self._cut or not fits
        self._cut = False

    def _end(self) -> JournalEntry | None:
        draft, self._draft = self._draft, _Draft()
        if not draft.fields:
            return None
        entry = draft.entry()
        self.malformed += entry is None
        return entry
