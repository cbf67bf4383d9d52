"""What a parser calls a label that it makes out of a key."""

from __future__ import annotations

from typing import Final

from shipper.logql.line import DUPLICATE, Line
from shipper.logql.sanitize import sanitized


_MOST: Final = 1024


class Keys:
    """The names of keys seen before, for one parser and one stream.

    A key that came first keeps its label when another one comes to the same name.
    """

    __slots__ = ("known",)

    def __init__(self) -> None:
        self.known: dict[str, str | None] = {}

    def name(self, key: str, line: Line) -> str | None:
        """Return the label for *key*, None when nobody needs it."""
        try:
            return self.known[key]
        except KeyError:
            return self.new(key, sanitized(key), line)

    def new(self, key: str, label: str, line: Line) -> str | None:
        """Return what *label*, which *key* asks for, is called."""
        name: str | None = f"{label}{DUPLICATE}" if label in line.base else label
        if not label or not line.wants(name or ""):
            name = None
        if len(self.known) < _MOST:
            self.known[key] = name
        return name

    def named(self, label: str, line: Line) -> str | None:
        """Return what *label*, made of several keys, is called."""
        try:
            return self.known[label]
        except KeyError:
            return self.new(label, label, line)
