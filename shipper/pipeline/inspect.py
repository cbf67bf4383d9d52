"""``-inspect``: say what each stage changed (promtail stages/inspector.go)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple, TextIO

from .record import Record
from .stage import Emit, Stage


_RED, _GREEN, _YELLOW, _BOLD = "31", "32", "33", "1"

MAX_HELD = 10_000
"""Records of which the look before is kept while a stage holds them back."""


class _Look(NamedTuple):
    """What can be seen of a record."""

    extracted: Mapping[str, Any]
    labels: Mapping[str, str]
    metadata: Mapping[str, str]
    timestamp: str
    line: str


class _Change(NamedTuple):
    path: str
    before: str | None
    after: str | None


class Inspector:
    """Writes to *out*, in colour when that is a terminal."""

    def __init__(self, out: TextIO, *, colour: bool | None = None) -> None:
        self._out = out
        self._colour = out.isatty() if colour is None else colour

    def watch(self, name: str, stage: Stage) -> Stage:
        """Return *stage* with a spy around it."""
        return _Spy(self, name, stage)

    def report(self, name: str, before: _Look, after: _Look | None) -> None:
        """Write what stage *name* made of a record; None: it does not go on."""
        lines = [self._paint("none", _RED)]
        if after is None:
            lines = [self._paint("dropped or held back", _RED)]
        elif changes := list(_changes(before, after)):
            lines = [""]
            for change in changes:
                lines += self._lines(change)
        text = "\n".join(lines)
        self._out.write(f"[inspect: {self._paint(name, _BOLD)} stage]: {text}\n")
        self._out.flush()

    def _lines(self, change: _Change) -> Iterator[str]:
        path, before, after = change
        changed = _YELLOW if after is not None else _RED
        colour = _GREEN if before is None else changed
        yield self._paint(f"{path}:", colour)
        if before is not None:
            yield self._paint(f"\t-: {before}", colour)
        if after is not None:
            yield self._paint(f"\t+: {after}", _GREEN)

    def _paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour else text


class _Spy:
    """A stage that tells an inspector what another one does."""

    def __init__(self, inspector: Inspector, name: str, stage: Stage) -> None:
        self._inspector = inspector
        self._name = name
        self._stage = stage
        self._before: dict[int, _Look] = {}

    def wrap(self, emit: Emit) -> Emit:
        """Hand records on as the stage itself does, and report."""

        def seen(record: Record) -> None:
            before = self._before.pop(id(record), None)
            after = _look(record)
            self._inspector.report(self._name, before or after, after)
            emit(record)

        step = self._stage.wrap(seen)

        def look(record: Record) -> None:
            if len(self._before) >= MAX_HELD:
                self._before.clear()
            before = self._before[id(record)] = _look(record)
            step(record)
            if id(record) in self._before:
                self._inspector.report(self._name, before, None)

        return look


def _look(record: Record) -> _Look:
    seconds, nanos = divmod(record.timestamp_ns, 1_000_000_000)
    try:
        stamp = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (OverflowError, ValueError):
        stamp = str(seconds)
    fraction = f".{nanos:09d}".rstrip("0") if nanos else ""
    return _Look(
        dict(record.extracted),
        record.labels.values,
        dict(record.metadata),
        f"{stamp}{fraction} +0000 UTC",
        record.line,
    )


def _changes(before: _Look, after: _Look) -> Iterator[_Change]:
    for title, old, new in (
        ("Extracted", before.extracted, after.extracted),
        ("Entry.Labels", before.labels, after.labels),
        ("Entry.StructuredMetadata", before.metadata, after.metadata),
    ):
        for key in sorted({*old, *new}):
            path = f'{{stages.Entry}}.{title}["{key}"]'
            yield from _change(path, _shown(old, key), _shown(new, key))
    yield from _change(
        "{stages.Entry}.Entry.Timestamp", before.timestamp, after.timestamp
    )
    yield from _change("{stages.Entry}.Entry.Line", before.line, after.line)


def _change(path: str, before: str | None, after: str | None) -> Iterator[_Change]:
    if before != after:
        yield _Change(path, before, after)


def _shown(values: Mapping[str, Any], key: str) -> str | None:
    if key not in values:
        return None
    value = values[key]
    return "<nil>" if value is None else str(value)
