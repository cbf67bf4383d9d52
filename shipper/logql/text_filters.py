"""Filters of lines by pattern, ``|> "<_> x"``, and by address, ``|= ip("...")``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from shipper.logql.addresses import finder
from shipper.logql.captures import no_neighbours, split
from shipper.logql.logs import quote


@dataclass(frozen=True, slots=True)
class PatternFilter:
    """``|> "<_> text <_>"``: the whole line looks like one of *texts*, or none."""

    op: str
    texts: tuple[str, ...]
    _parts: tuple[tuple[tuple[str, bytes], ...], ...] = field(
        init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        parts = tuple(split(text) for text in self.texts)
        for one in parts:
            no_neighbours(one)
            for name, _ in one:
                if name not in {"", "_"}:
                    raise ValueError(
                        f"named captures are not allowed: found '<{name}>'"
                    )
        object.__setattr__(self, "_parts", parts)

    def matches(self, text: bytes) -> bool:
        """Say whether a line passes."""
        return any(_fits(parts, text) for parts in self._parts) == (self.op == "|>")

    def __str__(self) -> str:
        return f"{self.op} " + " or ".join(map(quote, self.texts))


def _fits(parts: tuple[tuple[str, bytes], ...], text: bytes) -> bool:
    if not text or not parts:
        return not text and not parts
    at = 0
    for number, (name, literal) in enumerate(parts):
        if name:
            continue
        found = text.find(literal, at)
        # No gap may be empty: neither between literals nor for a capture.
        if found < 0 or (number and found == at):
            return False
        at = found + len(literal)
    return bool(parts[-1][0]) == (at != len(text))


@dataclass(frozen=True, slots=True)
class AddressFilter:
    """``|= ip("10.0.0.0/8")``: an address is in the line. Raises ValueError."""

    op: str
    pattern: str
    _find: Callable[[bytes], bool] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_find", finder(self.pattern))

    def matches(self, text: bytes) -> bool:
        """Say whether a line passes."""
        return self._find(text) == (self.op == "|=")

    def __str__(self) -> str:
        return f"{self.op} ip({quote(self.pattern)})"
