"""``| regexp`` and ``| pattern``: named parts of the line are labels."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from exporters.toolkit.regex import Regex, RegexError
from shipper.logql.keys import Keys
from shipper.logql.line import Line
from shipper.logql.logs import quote
from shipper.logql.sanitize import LABEL_NAME


_CAPTURE: Final = re.compile(r"<([a-zA-Z_][a-zA-Z0-9_]*)>")
_NO_CAPTURE: Final = "at least one named capture must be supplied"


def _text(part: bytes | None) -> str:
    return part.decode("utf-8", "replace") if part else ""


@dataclass(frozen=True, slots=True)
class RegexpParser:
    """``| regexp "(?P<name>...)"``. Raises ValueError, RegexError."""

    pattern: str
    regex: Regex = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        regex = Regex(self.pattern)
        names = [name for name in regex.names if name]
        if not names:
            raise ValueError(_NO_CAPTURE)
        for number, name in enumerate(names):
            if not LABEL_NAME.fullmatch(name):
                raise ValueError(f"invalid extracted label name '{name}'")
            if name in names[:number]:
                raise ValueError(f"duplicate extracted label name '{name}'")
        object.__setattr__(self, "regex", regex)

    def step(self) -> Callable[[Line], bool]:
        """Return the stage for the lines of one stream."""
        keys, find = Keys(), self.regex.find

        def step(line: Line) -> bool:
            groups = find(line.text)
            for label, part in groups.named() if groups else ():
                name = keys.name(label, line)
                if name is not None and not line.set(name, _text(part)):
                    return False
            return True

        return step

    def __str__(self) -> str:
        return f"| regexp {quote(self.pattern)}"


@dataclass(frozen=True, slots=True)
class PatternParser:
    """``| pattern "<ip> - <_> [<time>]"``. Raises ValueError."""

    pattern: str
    parts: tuple[tuple[str, bytes], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        parts = split(self.pattern)
        names = [name for name, _ in parts if name not in {"", "_"}]
        if not names:
            raise ValueError("at least one capture is required")
        no_neighbours(parts)
        for number, name in enumerate(names):
            if name in names[:number]:
                raise ValueError(f"duplicate capture name ({name}): invalid expression")
        object.__setattr__(self, "parts", parts)

    def step(self) -> Callable[[Line], bool]:
        """Return the stage for the lines of one stream."""
        keys = Keys()

        def step(line: Line) -> bool:
            if line.needs_nothing():
                return True
            for label, part in self.found(line.text):
                name = keys.new(label, label, line)
                if name is not None and not line.set(name, _text(part)):
                    return False
            return True

        return step

    def found(self, text: bytes) -> list[tuple[str, bytes]]:
        """Return what was captured; the capture that ends nowhere has the rest."""
        parts = list(self.parts)
        if not text:
            return []
        if not parts[0][0]:
            if not text.startswith(parts[0][1]):
                return []
            text = text[len(parts.pop(0)[1]) :]
        found: list[tuple[str, bytes]] = []
        while parts:
            name = parts.pop(0)[0]
            literal = parts.pop(0)[1] if parts else None
            end = -1 if literal is None else text.find(literal)
            if name != "_":
                found.append((name, text if end < 0 else text[:end]))
            if end < 0 or literal is None:
                break
            text = text[end + len(literal) :]
        return found

    def __str__(self) -> str:
        return f"| pattern {quote(self.pattern)}"


def split(pattern: str) -> tuple[tuple[str, bytes], ...]:
    """Return the captures (name, nothing) and literals ("", bytes) of *pattern*."""
    parts: list[tuple[str, bytes]] = []
    for number, text in enumerate(_CAPTURE.split(pattern)):
        if number % 2:
            parts.append((text, b""))
        elif text:
            parts.append(("", text.encode("utf-8", "surrogateescape")))
    return tuple(parts)


def no_neighbours(parts: tuple[tuple[str, bytes], ...]) -> None:
    """Refuse captures with nothing between them. Raises ValueError."""
    for (left, _), (right, _) in pairwise(parts):
        if left and right:
            raise ValueError(
                f"found consecutive capture '<{left}><{right}>': invalid expression"
            )


__all__ = ["PatternParser", "RegexError", "RegexpParser", "no_neighbours", "split"]
