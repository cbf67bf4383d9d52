"""Stages that change labels and text: keep, drop, label_format, line_format."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from shipper.logql.line import ERROR, ERROR_DETAILS, SPECIAL, Line
from shipper.logql.logs import DropLabels, Matcher
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

    @property
    def names(self) -> tuple[str, ...]:
        """Return the labels that are read."""
        return tuple(
            name
            for _, source in self.formats
            for name in (source.names if not isinstance(source, str) else (source,))
        )

    def step(self) -> Callable[[Line], bool]:
        """Return the stage for the lines of one stream."""
        return self._step

    def _step(self, line: Line) -> bool:
        fields: dict[str, str] | None = None
        for name, source in self.formats:
            if isinstance(source, SimpleTemplate):
                # What the stage starts with, once one of its templates needed it.
                fields = fields or dict(line.labels())
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
