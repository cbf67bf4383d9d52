"""A line on its way through the stages: text, labels, error (Loki's LabelsBuilder)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias


Labels: TypeAlias = tuple[tuple[str, str], ...]

ERROR: Final = "__error__"
ERROR_DETAILS: Final = "__error_details__"
PRESERVE_ERROR: Final = "__preserve_error__"
DUPLICATE: Final = "_extracted"
SPECIAL: Final = frozenset({ERROR, ERROR_DETAILS, PRESERVE_ERROR})


@dataclass(frozen=True, slots=True)
class Hints:
    """What a metric query makes of labels, so that parsers stop early.

    Loki's parsers do so too, and it shows: a line whose needed labels stand before the
    place where it is broken has no error.
    """

    required: frozenset[str] = frozenset()
    no_labels: bool = False
    early: Mapping[str, Any] = field(default_factory=dict)
    """Conditions, by label, that are asked as soon as a parser finds the label."""

    @property
    def keeps_errors(self) -> bool:
        """Say whether the query asks for errors, which then do not end it."""
        return ERROR in self.required


NO_HINTS: Final = Hints()


class Line:
    """One line of a stream with the labels *base*; used again for the next line."""

    __slots__ = (
        "base", "deleted", "details", "error", "extracted", "found", "hints",
        "metadata", "parsed", "text", "timestamp", "values",
    )  # fmt: skip

    def __init__(self, base: Mapping[str, str], hints: Hints = NO_HINTS) -> None:
        self.base = dict(base)
        self.hints = hints
        self.text = b""
        self.timestamp = 0
        self.begin(0, b"", ())

    def begin(self, timestamp: int, text: bytes, metadata: Labels) -> None:
        """Start with a line as it is stored."""
        self.timestamp = timestamp
        self.text = text
        self.values = dict(self.base)
        self.parsed: set[str] = set()
        self.metadata: set[str] = set()
        self.extracted: set[str] = set()
        self.deleted: set[str] = set()
        self.error = self.details = ""
        for name, value in metadata:
            self._add_metadata(name, value)

    def _add_metadata(self, name: str, value: str) -> None:
        name = f"{name}{DUPLICATE}" if name in self.base else name
        if name == ERROR:
            self.error = value
        elif name == ERROR_DETAILS:
            self.details = value
        else:
            self.values[name] = value
            self.metadata.add(name)
            self.extracted.add(name)

    def set(self, name: str, value: str) -> bool:
        """Set a label that a stage made; False when a condition drops the line."""
        self.values[name] = value
        self.parsed.add(name)
        self.extracted.add(name)
        early = self.hints.early
        return not early or name not in early or bool(early[name].test(self))

    def put(self, name: str, value: str) -> None:
        """Set a label, whatever the conditions on it."""
        self.values[name] = value
        self.parsed.add(name)
        self.extracted.add(name)

    def delete(self, name: str) -> None:
        """Take a label off."""
        self.values.pop(name, None)
        self.parsed.discard(name)
        self.metadata.discard(name)
        self.deleted.add(name)

    def fail(self, error: str, details: str = "") -> None:
        """Note what went wrong, over an earlier error."""
        self.error = error
        self.details = details or self.details
        if self.hints.keeps_errors:
            self.put(PRESERVE_ERROR, "true")

    def wants(self, name: str) -> bool:
        """Say whether a parser should set *name*, which has not been set yet."""
        if name in self.extracted:
            return False
        required = self.hints.required
        return not required or name in required

    def complete(self) -> bool:
        """Say whether parsers have nothing to look for."""
        required = self.hints.required
        return bool(required) and required <= self.extracted

    def needs_nothing(self) -> bool:
        """Say whether a parser need not even start."""
        return self.hints.no_labels or self.complete()

    def get(self, name: str) -> str:
        """Return what a string condition compares; "" for a missing label."""
        return self.error if name == ERROR else self.values.get(name, "")

    def labels(self) -> dict[str, str]:
        """Return every label, the error's among them."""
        if not self.error and not self.details:
            return self.values
        errors = {ERROR: self.error, ERROR_DETAILS: self.details}
        return {**self.values, **{k: v for k, v in errors.items() if v}}

    def sorted_labels(self) -> Labels:
        """Return every label that has a value, sorted by name."""
        return as_labels(self.labels().items())


def as_labels(pairs: Iterable[tuple[str, str]]) -> Labels:
    """Return *pairs* sorted; an empty value is no label."""
    return tuple(sorted(pair for pair in pairs if pair[1]))
