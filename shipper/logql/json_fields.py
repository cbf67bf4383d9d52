"""``| json a="x.y[0]", b`` and ``| unpack``: some fields of an object as labels."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from shipper.logql.json_scan import (
    JSONError,
    Kind,
    Value,
    elements,
    members,
    unescaped,
    value_at,
)
from shipper.logql.json_stage import JSON_ERROR, scalar
from shipper.logql.keys import Keys
from shipper.logql.line import DUPLICATE, Line
from shipper.logql.logs import quote
from shipper.logql.sanitize import decoded, sanitized, without_invalid


Path = tuple[str | int, ...]

_PART: Final = re.compile(
    r"\s*(?:(?P<dot>\.)\s*)?(?:(?P<field>[a-zA-Z_][a-zA-Z0-9_]*)"
    r'|\[\s*(?:"(?P<key>[^"\]]*)"|(?P<index>[0-9]+))\s*\])\s*'
)
_NO_OBJECT: Final = "expecting json object(6), but it is not"


def parse_path(text: str) -> Path:
    """Return the keys and indexes of ``a.b["c"][0]``. Raises ValueError."""
    path: list[str | int] = []
    at = 0
    while at < len(text) or not path:
        part = _PART.match(text, at)
        if part is None or bool(part["dot"]) != bool(path and part["field"]):
            raise ValueError(f"cannot parse expression [{text}]: syntax error")
        index = part["index"]
        path.append(int(index) if index else part["field"] or part["key"] or "")
        at = part.end()
    return tuple(path)


@dataclass(frozen=True, slots=True)
class JSONFields:
    """``| json label="path"``. Raises ValueError."""

    fields: tuple[tuple[str, str], ...]
    paths: tuple[tuple[str, Path], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        paths = tuple((label, parse_path(text)) for label, text in self.fields)
        object.__setattr__(self, "paths", paths)

    def step(self) -> Callable[[Line], bool]:
        """Return the stage for the lines of one stream."""
        return self._step

    def _step(self, line: Line) -> bool:
        if not line.text or line.needs_nothing():
            return True
        if line.text[:1] not in {b'"', b"{", b"["}:
            line.fail(JSON_ERROR)
            return True
        text = decoded(line.text)
        for label, path in self.paths:
            try:
                found = find(text, path)
            except JSONError as error:
                line.fail(JSON_ERROR, str(error))
                continue
            if found is not None:
                name = f"{label}{DUPLICATE}" if label in line.base else label
                line.put(name, without_invalid(found))
        for label, _ in self.paths:
            if label not in line.values:
                line.put(label, "")
        return True

    def __str__(self) -> str:
        return "| json " + ", ".join(f"{k}={quote(v)}" for k, v in self.fields)


def find(text: str, path: Path) -> str | None:
    """Return what is at *path*, None when the line breaks off before.

    Raises JSONError when the line breaks off there.
    """
    try:
        value, _ = value_at(text, 0)
    except JSONError:
        value = Value(Kind.ARRAY if text[0] == "[" else Kind.OBJECT, text)
    try:
        for part in path:
            inner = _inside(value, part)
            if inner is None:
                return None
            value = inner
    except JSONError as error:
        if part is path[-1] and error.key == part:
            raise
        return None
    if value.kind in {Kind.OBJECT, Kind.ARRAY}:
        return value.raw if value.kind is Kind.OBJECT else _loose(value.raw)
    return scalar(value) or ""


def _loose(raw: str) -> str:
    try:
        return unescaped(raw)
    except JSONError:
        return ""


def _inside(value: Value, part: str | int) -> Value | None:
    if isinstance(part, int):
        if value.kind is not Kind.ARRAY:
            return None
        each = enumerate(elements(value.raw))
        return next((one for number, one in each if number == part), None)
    if value.kind is not Kind.OBJECT:
        return None
    return next((one for key, one in members(value.raw) if key == part), None)


@dataclass(frozen=True, slots=True)
class UnpackParser:
    """``| unpack``: labels and line as promtail's stage ``pack`` put them in."""

    def step(self) -> Callable[[Line], bool]:
        """Return the stage for the lines of one stream."""
        return _Unpack()

    def __str__(self) -> str:
        return "| unpack"


class _Unpack:
    def __init__(self) -> None:
        self._keys = Keys()

    def __call__(self, line: Line) -> bool:
        """Set the labels of *line* and its text; False when a condition drops it."""
        if not line.text or line.needs_nothing():
            return True
        if line.text[:1] != b"{":
            line.fail(JSON_ERROR, _NO_OBJECT)
            return True
        try:
            labels, entry = self._unpacked(line)
        except JSONError as error:
            line.fail(JSON_ERROR, str(error))
            return True
        if entry is None:
            return True
        line.text = entry.encode("utf-8", "surrogateescape")
        return all(line.set(name, value) for name, value in labels)

    def _unpacked(self, line: Line) -> tuple[list[tuple[str, str]], str | None]:
        labels: list[tuple[str, str]] = []
        entry: str | None = None
        for key, value in members(decoded(line.text)):
            if value.kind is not Kind.STRING:
                continue
            if key == "_entry":
                entry = unescaped(value.raw)
                continue
            name = self._keys.new(key, key, line)
            if name is not None:
                text = without_invalid(scalar(value) or "")
                labels.append((sanitized(name), text))
        return labels, entry
