"""Stages that change labels and text: keep, drop, label_format, line_format …"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from shipper.logql.addresses import finder
from shipper.logql.captures import no_neighbours, split
from shipper.logql.line import ERROR, ERROR_DETAILS, SPECIAL, Line
from shipper.logql.logs import DropLabels, Matcher, quote
from shipper.logql.simple_template import SimpleTemplate


# The possessive parts could match in one way only anyhow; without them a line of
# semicolons would take time by its square.
_COLOUR: Final = re.compile(
    r"[\x1b\x9b][\[\]()#;?]*+"
    r"(?:[a-zA-Z0-9]*+(?:;[a-zA-Z0-9]*+)*+\x07"
    r"|(?:[0-9]{1,4}(?:;[0-9]{0,4})*)?[0-9A-PRZcf-ntqry=><~])"
)


def drop(stage: DropLabels, line: Line) -> bool:
    """Take the labels of *stage* off *line*."""
    for one in stage.names:
        name = one.name if isinstance(one, Matcher) else one
        value = line.details if name == ERROR_DETAILS else line.get(name)
        if isinstance(one, Matcher) and not one.matches(value):
            continue
        if name == ERROR:
            line.error = ""
        elif name == ERROR_DETAILS:
            line.details = ""
        elif isinstance(one, Matcher) or name in line.values:
            line.delete(name)
    return True


@dataclass(frozen=True, slots=True)
class KeepLabels:
    """``| keep a, b="c"``: no other labels."""

    names: tuple[str | Matcher, ...]

    def step(self) -> Callable[[Line], bool]:
        """Return the stage for the lines of one stream."""
        return self._step

    def _step(self, line: Line) -> bool:
        for name, value in list(line.values.items()):
            if name not in SPECIAL and not self._keeps(name, value):
                line.delete(name)
        return True

    def _keeps(self, name: str, value: str) -> bool:
        return any(
            one.name == name and one.matches(value)
            if isinstance(one, Matcher)
            else one == name
            for one in self.names
        )

    def __str__(self) -> str:
        return "| keep " + ", ".join(map(str, self.names))


@dataclass(frozen=True, slots=True)
class LabelFormat:
    """``| label_format a=b, c="{{.d}} e"``: renamed and made labels."""

    formats: tuple[tuple[str, str | SimpleTemplate], ...]

    def __post_init__(self) -> None:
        names = [name for name, _ in self.formats]
        for number, name in enumerate(names):
            if name == ERROR:
                raise ValueError(f"{name} cannot be formatted")
            if name in names[:number]:
                raise ValueError(
                    f"multiple label name '{name}' not allowed in a single format "
                    "operation"
                )

    def step(self) -> Callable[[Line], bool]:
        """Return the stage for the lines of one stream."""
        return self._step

    def _step(self, line: Line) -> bool:
        fields: dict[str, str] | None = None
        for name, source in self.formats:
            if isinstance(source, SimpleTemplate):
                # What the stage starts with, once one of its templates needed it.
                fields = dict(line.labels()) if not fields else fields
                line.put(name, source.render(fields, line))
            elif source in line.values:
                line.put(name, line.values[source])
                line.delete(source)
        return True

    def __str__(self) -> str:
        return "| label_format " + ", ".join(f"{k}={v}" for k, v in self.formats)


@dataclass(frozen=True, slots=True)
class LineFormat:
    """``| line_format "{{.message}}"``: another text."""

    template: SimpleTemplate

    def step(self) -> Callable[[Line], bool]:
        """Return the stage for the lines of one stream."""
        return self._step

    def _step(self, line: Line) -> bool:
        # A template of nothing but a label does not see the error's.
        fields = line.values if self.template.is_label else line.labels()
        text = self.template.render(fields, line)
        line.text = text.encode("utf-8", "surrogateescape")
        return True

    def __str__(self) -> str:
        return f"| line_format {self.template}"


@dataclass(frozen=True, slots=True)
class Decolorize:
    """``| decolorize``: the text without terminal colours."""

    def step(self) -> Callable[[Line], bool]:
        """Return the stage for the lines of one stream."""
        return self._step

    def _step(self, line: Line) -> bool:
        if b"\x1b" in line.text or b"\x9b" in line.text:
            text = line.text.decode("utf-8", "surrogateescape")
            line.text = _COLOUR.sub("", text).encode("utf-8", "surrogateescape")
        return True

    def __str__(self) -> str:
        return "| decolorize"


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
