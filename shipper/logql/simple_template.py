"""Templates of text and ``{{.label}}``; Go's whole language is only Loki's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from shipper.logql.line import Line
from shipper.logql.logs import quote


_ACTION: Final = re.compile(
    r"\{\{\s*(?:\.(?P<label>[a-zA-Z_][a-zA-Z0-9_]*)|__line__)\s*\}\}"
)
_LINE: Final = "{__line__}"


@dataclass(frozen=True, slots=True)
class SimpleTemplate:
    """A text with labels in it. Raises ValueError for what is not known here."""

    text: str
    _parts: tuple[tuple[bool, str], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_parts", tuple(_parse(self.text)))

    @property
    def is_label(self) -> bool:
        """Say whether the template is one label and nothing else."""
        return len(self._parts) == 1 and self._parts[0][0]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the labels the text is made of."""
        return tuple(name for is_field, name in self._parts if is_field)

    def render(self, fields: Mapping[str, str], line: Line) -> str:
        """Return the text for *line* with the labels *fields*."""
        return "".join(
            self._field(text, fields, line) if is_field else text
            for is_field, text in self._parts
        )

    @staticmethod
    def _field(name: str, fields: Mapping[str, str], line: Line) -> str:
        if name == _LINE:
            return line.text.decode("utf-8", "surrogateescape")
        return fields.get(name, "")

    def __str__(self) -> str:
        return quote(self.text)


def _parse(text: str) -> list[tuple[bool, str]]:
    parts: list[tuple[bool, str]] = []
    at = 0
    for action in _ACTION.finditer(text):
        parts += [(False, text[at : action.start()]), (True, action["label"] or _LINE)]
        at = action.end()
    parts.append((False, text[at:]))
    if any("{{" in part for is_field, part in parts if not is_field):
        raise ValueError("a template with more than {{.label}}")
    return [part for part in parts if part[1]]
