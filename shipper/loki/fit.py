"""What of a batch is pushed, so that Loki has nothing to refuse.

    too long                  cut, with a marker at the end
    too old, too far ahead    dropped
    labels: too many, long    the surplus becomes structured metadata, or is left off
    structured metadata       is left off where Loki would not take it; the line stays

Pure; asked anew at each push, because a line can become too old while it waits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from operator import itemgetter
from typing import Final, NamedTuple

from shipper.pipeline.entry import Entry, Metadata

from .batch import Batch, Peak
from .body import Stream
from .cut import cut_with_marker
from .ledger import Ticket
from .loki_limits import UNKNOWN, LokiLimits
from .shape import Shape, metadata_refusal, shape


TOO_LONG: Final = "line_too_long"
TOO_LARGE: Final = "too_large"
TOO_OLD: Final = "greater_than_max_sample_age"
TOO_NEW: Final = "too_far_in_future"
ENDLESS: Final = 1 << 80
U_FFFD_BYTES: Final = 3
"""What stands for one byte that is no UTF-8."""


class Action(StrEnum):
    """What was done about an entry that is over a limit."""

    CUT = "cut"
    DROPPED = "dropped"
    MOVED = "moved"  # a label, to the structured metadata
    LEFT_OFF = "left_off"


Note = tuple[str, Action]
"""Loki's name for what is over a limit, and what was done about it."""


class Bounds(NamedTuple):
    """The limits of one tenant's Loki, and its times as they are now."""

    limits: LokiLimits = UNKNOWN
    oldest_ns: int = -ENDLESS
    newest_ns: int = ENDLESS


class Dropped(NamedTuple):
    """An entry that Loki would refuse for *reason*."""

    ticket: Ticket
    entry: Entry
    reason: str


@dataclass(frozen=True, slots=True)
class Fitted:
    """What to push: *entries* of *batch*, and what was done to get there."""

    stream: Stream
    batch: Batch
    entries: Sequence[Entry]
    dropped: Sequence[Dropped] = ()
    changed: Mapping[int, tuple[Note, ...]] = field(default_factory=dict)  # by place
    text: bool = False

    def notes(self, but: Container[int] = ()) -> Counter[Note]:
        """Count what was done to the entries, those at the places *but* aside."""
        counted: Counter[Note] = Counter()
        kept = (notes for place, notes in self.changed.items() if place not in but)
        for notes, count in Counter(kept).items():
            for note in notes:
                counted[note] += count
        return counted


def fit(
    stream: Stream,
    batch: Batch,
    bounds: Bounds,
    longest_bytes: int | None = None,
    *,
    text: bool = False,
) -> Fitted:
    """Return what of *batch* to push; no line is longer than *longest_bytes*.

    With *text* the body is JSON, where bytes that are no UTF-8 become U+FFFD: three.

    0.05 s of CPU per million lines that fit, 0.02 where no limits are known, and the
    peaks cost `Builder.add` 0.03 (of 3.6 from `put` to the acknowledgement): 1.7 %.
    1.0 s per million where every line takes surplus labels along.
    """
    entries = batch.entries
    limits = bounds.limits
    most = min(limits.line_bytes or ENDLESS, longest_bytes or ENDLESS)
    shaped = shape(stream.labels, limits)
    growth = U_FFFD_BYTES if text else 1
    if not shaped.surplus and _all_fit(entries, batch.peak, bounds, most // growth):
        return Fitted(stream, batch, entries, text=text)
    if shaped.surplus:
        stream = Stream.of(shaped.labels)
    why = TOO_LARGE if most == longest_bytes else TOO_LONG
    return _Fitting(bounds, most, why, shaped, text=text).apply(stream, batch)


def _all_fit(entries: Sequence[Entry], peak: Peak, bounds: Bounds, most: int) -> bool:
    """Say for sure that nothing needs a look; False: perhaps something does."""
    limits = bounds.limits
    if peak.line_bytes > most:
        return False
    if peak.metadata_pairs and (
        limits.metadata_allowed is False
        or peak.metadata_pairs > (limits.metadata_pairs or ENDLESS)
        or peak.metadata_bytes * U_FFFD_BYTES > (limits.metadata_bytes or ENDLESS)
    ):
        return False
    if bounds.oldest_ns == -ENDLESS and bounds.newest_ns == ENDLESS:
        return True
    times = sorted(map(_TIME, entries))  # mostly sorted: 32 ns each, min and max 70
    return bounds.oldest_ns <= times[0] and times[-1] <= bounds.newest_ns


_TIME: Final[Callable[[Entry], int]] = itemgetter(0)


class _Fitting:
    """The slow road, for batches where entries need a look."""

    def __init__(
        self, bounds: Bounds, most: int, too_long: str, shaped: Shape, *, text: bool
    ) -> None:
        """Cut lines to *most* bytes for the reason *too_long*."""
        self._bounds = bounds
        self._most = most
        self._too_long = too_long
        self._shape = shaped
        self._text = text
        self._bare = self._metadata(())  # what becomes of entries without metadata

    def apply(self, stream: Stream, batch: Batch) -> Fitted:
        """Return what of *batch* to push as *stream*."""
        kept: list[int] = []
        fitted: list[Entry] = []
        dropped: list[Dropped] = []
        changed: dict[int, tuple[Note, ...]] = {}
        for place, entry in enumerate(batch.entries):
            if reason := self._out_of_time(entry.timestamp_ns):
                dropped.append(Dropped(batch.tickets[place], entry, reason))
                continue
            fits, notes = self._fit(entry)
            if notes:
                changed[len(kept)] = notes
            kept.append(place)
            fitted.append(fits)
        if dropped:
            batch = batch.of(kept)
        return Fitted(stream, batch, fitted, dropped, changed, self._text)

    def _out_of_time(self, timestamp_ns: int) -> str | None:
        if timestamp_ns < self._bounds.oldest_ns:
            return TOO_OLD
        return TOO_NEW if timestamp_ns > self._bounds.newest_ns else None

    def _fit(self, entry: Entry) -> tuple[Entry, tuple[Note, ...]]:
        time, line, metadata = entry
        metadata, notes = self._metadata(metadata) if metadata else self._bare
        if self._text and len(line) * U_FFFD_BYTES > self._most:
            line = line.decode("utf-8", "replace").encode()
        if len(line) > self._most:
            line = cut_with_marker(line, self._most, len(entry.line))
            notes = ((self._too_long, Action.CUT), *notes)
        return (Entry(time, line, metadata), notes) if notes else (entry, notes)

    def _metadata(self, own: Metadata) -> tuple[Metadata, tuple[Note, ...]]:
        """Return the metadata of an entry that has *own*, and what was done to it."""
        limits, surplus = self._bounds.limits, self._shape.surplus
        notes: tuple[Note, ...] = ()
        if reason := metadata_refusal(own, limits):
            notes, own = ((reason, Action.LEFT_OFF),), ()
        if not surplus:
            return own, notes
        both = (*own, *surplus)
        fits = metadata_refusal(both, limits) is None
        action = Action.MOVED if fits else Action.LEFT_OFF
        notes += tuple((reason, action) for reason in self._shape.reasons)
        return both if fits else own, notes
