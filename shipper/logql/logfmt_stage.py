"""``| logfmt``: pairs are labels, all of them or those asked for by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from shipper.logql.keys import Keys
from shipper.logql.line import DUPLICATE, ERROR, Line
from shipper.logql.logfmt_scan import LogfmtError, pairs
from shipper.logql.logs import quote
from shipper.logql.sanitize import decoded, sanitized, without_invalid


LOGFMT_ERROR: Final = "LogfmtParserErr"


@dataclass(frozen=True, slots=True)
class LogfmtParser:
    """``| logfmt --strict --keep-empty a, b="c"``; *fields* are label and key."""

    fields: tuple[tuple[str, str], ...] = ()
    strict: bool = False
    keep_empty: bool = False

    def step(self) -> Callable[[Line], bool]:
        """Return the stage for the lines of one stream."""
        return self._asked if self.fields else LogfmtStep(self)

    def _asked(self, line: Line) -> bool:
        if line.needs_nothing():
            return True
        for label, _ in self.fields:
            if label not in line.base:
                line.put(label, "")
        try:
            self._fields(line)
        except LogfmtError as error:
            line.fail(LOGFMT_ERROR, str(error))
        return True

    def _fields(self, line: Line) -> None:
        labels = {key: label for label, key in reversed(self.fields)}
        wanted = dict(self.fields)
        allowed: dict[str, bool] = {}
        for key, value in pairs(decoded(line.text), strict=self.strict):
            name = sanitized(key)
            if name not in allowed:
                allowed[name] = bool(name) and (name in wanted or line.wants(name))
            name, usable = labels.get(name, name), allowed[name]
            if not usable or name not in wanted:
                continue
            if name in line.base:
                name += DUPLICATE
                if not line.hints.required or name in line.hints.required:
                    line.put(name, _whole(value))
                    continue
                return
            line.put(name, _whole(value))
            if line.complete():
                return

    def __str__(self) -> str:
        flags = " --strict" * self.strict + " --keep-empty" * self.keep_empty
        fields = ", ".join(f"{label}={quote(key)}" for label, key in self.fields)
        return f"| logfmt{flags}" + f" {fields}" * bool(fields)


class LogfmtStep:
    """Turns every pair into a label."""

    def __init__(self, parser: LogfmtParser) -> None:
        self._parser = parser
        self._keys = Keys()

    def __call__(self, line: Line) -> bool:
        """Set the labels of *line*; False when a condition drops it."""
        if line.needs_nothing():
            return True
        try:
            return self._pairs(line)
        except LogfmtError as error:
            line.fail(LOGFMT_ERROR, str(error))
            early = line.hints.early
            return ERROR not in early or bool(early[ERROR].test(line))

    def _pairs(self, line: Line) -> bool:
        parser = self._parser
        for key, value in pairs(decoded(line.text), strict=parser.strict):
            name = self._keys.name(key, line)
            if name is None or not (value or parser.keep_empty):
                continue
            if not line.set(name, without_invalid(value)):
                return False
            if line.complete():
                break
        return True


def _whole(value: str) -> str:
    """Return *value*, nothing when it is no UTF-8."""
    return value if without_invalid(value) == value else ""
