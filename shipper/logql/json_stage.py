"""``| json``: every field of an object is a label (Loki pkg/logql/log/parser.go).

Python's own decoder reads what is plain JSON; what it refuses, and what it reads in
another way, is read again as Loki's does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from shipper.logql.json_scan import JSONError, Kind, Value, members, unescaped
from shipper.logql.keys import Keys
from shipper.logql.line import Line
from shipper.logql.sanitize import decoded, sanitized, without_invalid


JSON_ERROR: Final = "JSONParserErr"
_START: Final = re.compile(r"[ \n\r\t]*(?=\{)")
_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")
_BOOLEANS: Final = {True: "true", False: "false"}


class _Object(list[tuple[str, Any]]):
    """The members of an object in order, each as often as it is there."""


def _refuse(text: str) -> NoReturn:
    raise ValueError(text)


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_Object,
    parse_float=str,
    parse_int=str,
    parse_constant=_refuse,
    strict=False,
)


class _Dropped(Exception):  # noqa: N818 - no error
    """A condition says that the line is out."""


class _Complete(Exception):  # noqa: N818 - no error
    """Nothing more is needed of the line."""


@dataclass(frozen=True, slots=True)
class JSONParser:
    """``| json``."""

    def step(self) -> JSONStep:
        """Return the stage for the lines of one stream."""
        return JSONStep()

    def __str__(self) -> str:
        return "| json"


class JSONStep:
    """Turns fields into labels; names of nested ones are joined by ``_``."""

    def __init__(self) -> None:
        self._keys = Keys()

    def __call__(self, line: Line) -> bool:
        """Set the labels of *line*; False when a condition drops it."""
        if line.needs_nothing():
            return True
        text = decoded(line.text)
        try:
            self._members(_pairs(text), "", line)
        except _Dropped:
            return False
        except _Complete:
            return True
        except JSONError as error:
            line.fail(JSON_ERROR, str(error))
        return True

    def _members(
        self, pairs: Iterable[tuple[str, Any]], prefix: str, line: Line
    ) -> None:
        required = line.hints.required
        known = {} if prefix else self._keys.known
        for key, value in pairs:
            name = known.get(key, "")
            text = value
            if type(value) is str:
                if name is None:  # the usual case: nobody asks for the field
                    continue
            else:
                if isinstance(value, _Object):
                    self._nested(key, value, prefix, line)
                    continue
                text = self._text(key, value, prefix, line)
                if text is None:
                    continue
            name = name or self._name(key, prefix, line)
            if name is None:
                continue
            clean = text if text.isascii() else without_invalid(text)
            if not line.set(name, clean):
                raise _Dropped
            if required and required <= line.extracted:
                raise _Complete

    def _name(self, key: str, prefix: str, line: Line) -> str | None:
        if not prefix:
            return self._keys.name(key, line)
        label = f"{prefix}_{sanitized(key, first=False)}"
        # Keys of nested and of plain fields share their names, as in Loki.
        return self._keys.named(label, line)

    def _text(self, key: str, value: Any, prefix: str, line: Line) -> str | None:
        if isinstance(value, bool):
            return _BOOLEANS[value]
        if not isinstance(value, Value):
            return None
        if value.kind is Kind.OBJECT:
            self._nested(key, members(value.raw), prefix, line)
        return scalar(value)

    def _nested(
        self, key: str, pairs: Iterable[tuple[str, Any]], prefix: str, line: Line
    ) -> None:
        name = sanitized(key, first=not prefix)
        inner = f"{prefix}_{name}" if prefix else name
        required = line.hints.required
        if not required or any(label.startswith(inner) for label in required):
            self._members(pairs, inner, line)


def _pairs(text: str) -> Iterable[tuple[str, Any]]:
    plain = _plain(text)
    return members(text) if plain is None else plain


def _plain(text: str) -> _Object | None:
    """Return the members when *text* is plain JSON, None when Loki has to be copied."""
    start = _START.match(text)
    if start is None or ("\\u" in text and _SURROGATE.search(text)):
        return None
    try:
        found, _ = _DECODER.raw_decode(text, start.end())
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, _Object) else None


def scalar(value: Value) -> str | None:
    """Return the text of a string, number or boolean, None for anything else."""
    if value.kind is Kind.STRING:
        try:
            return unescaped(value.raw)
        except JSONError:
            return ""
    return value.raw if value.kind in {Kind.NUMBER, Kind.BOOLEAN} else None
