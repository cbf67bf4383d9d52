"""Templates as most are: text, fields, and a function or two of promtail's on text.

``{{ .level | ToUpper }}: {{ .msg }}`` costs 1 µs so and 20 µs in the package gotpl,
which is not even loaded then. Whatever is not certain here is left to that one:
`plain_template` does not know the template, or `Unsure` is raised for a line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from .template_functions.bounds import MAX_CHARACTERS
from .template_functions.text import FUNCTIONS


class Unsure(Exception):  # noqa: N818 - it is no error
    """Say that the real thing has to decide."""


Fields = Mapping[str, str]
Part = Callable[[Fields], str]
"""Returns a piece of the text. Raises Unsure."""

_NO_VALUE: Final = "<no value>"
_TEXT, _NUMBER = str, int
_ARGUMENTS: Final[Mapping[str, tuple[type, ...]]] = {
    **dict.fromkeys(("ToLower", "ToUpper", "TrimSpace", "lower", "upper"), (_TEXT,)),
    **dict.fromkeys(
        ("Trim", "TrimLeft", "TrimRight", "TrimPrefix", "TrimSuffix"), (_TEXT, _TEXT)
    ),
    **dict.fromkeys(("Hash", "Sha2Hash"), (_TEXT, _TEXT)),
    "Replace": (_TEXT, _TEXT, _TEXT, _NUMBER),
    "replace": (_TEXT, _TEXT, _TEXT),
}
"""The functions that are known here, and what each takes; all return text."""

_OPERAND: Final = r"""\.[A-Za-z_]\w*|"[^"\\\n]*"|`[^`\r]*`|-?[1-9]\d{0,8}|0"""
_CALL: Final = rf"(?:{_OPERAND}|[A-Za-z]\w*(?:[ \t]+(?:{_OPERAND}))*)"
_ACTION: Final = re.compile(
    rf"\{{\{{(-(?=[ \t]))?[ \t]*"
    rf"({_CALL}(?:[ \t]*\|[ \t]*{_CALL})*)[ \t]*((?<=[ \t])-)?\}}\}}",
    re.ASCII,
)
_WORD: Final = re.compile(rf"\||{_OPERAND}|[A-Za-z]\w*", re.ASCII)
_SPACE: Final = " \t\r\n"


class PlainTemplate:
    """Renders *parts*; *fields* are the names of those that it looks at."""

    __slots__ = ("_parts", "fields")

    def __init__(self, parts: list[str | Part], fields: frozenset[str]) -> None:
        self._parts = parts
        self.fields = fields

    def render(self, values: Fields) -> str:
        """Return the text for the fields *values*. Raises Unsure."""
        parts = [
            part if isinstance(part, str) else part(values) for part in self._parts
        ]
        text = "".join(parts)
        if len(text) > MAX_CHARACTERS:
            raise Unsure
        return text


def plain_template(text: str) -> PlainTemplate | None:
    """Return the template *text*, None when it is not as plain as that."""
    parts: list[str | Part] = []
    fields: set[str] = set()
    end, trims = 0, False
    for found in _ACTION.finditer(text):
        before, pipeline, after = found.groups()
        part = _part(_WORD.findall(pipeline), fields)
        between = _between(text[end : found.start()], trims, before is not None)
        if part is None or between is None:
            return None
        parts += (between, part)
        end, trims = found.end(), after is not None
    rest = _between(text[end:], trims, False)
    return None if rest is None else PlainTemplate([*parts, rest], frozenset(fields))


def _between(text: str, left: bool, right: bool) -> str | None:
    """Return what is written of the *text* between actions; None: it has others."""
    if "{{" in text or text.endswith("{"):
        return None  # {{{ begins with its first two
    text = text.lstrip(_SPACE) if left else text
    return text.rstrip(_SPACE) if right else text


def _part(words: list[str], fields: set[str]) -> Part | None:
    """Return what a pipeline writes, and add to *fields* what it looks at."""
    fields.update(word[1:] for word in words if word[0] == ".")
    calls = list(_calls(words))
    if len(words) == 1 and words[0][0] == ".":
        name = words[0][1:]
        return lambda values: values.get(name, _NO_VALUE)
    part: Part | None = None
    for number, call in enumerate(calls):
        part = _call(call, part) if part or not number else None
    return part


def _calls(words: list[str]) -> Iterator[list[str]]:
    call: list[str] = []
    for word in words:
        if word == "|":
            yield call
            call = []
        else:
            call.append(word)
    yield call


def _call(words: list[str], before: Part | None) -> Part | None:
    """Return the call of a function, with what is *before* the bar as its last."""
    name, *operands = words
    if not name[0].isalpha():
        alone = before is None and not operands
        return _text(name) if alone else None
    kinds = _ARGUMENTS.get(name)
    if kinds is None or len(operands) + (before is not None) != len(kinds):
        return None
    arguments = [_argument(each, kind) for each, kind in zip(operands, kinds)]  # noqa: B905 - one may be before the bar
    if before is not None:
        arguments.append(before if kinds[-1] is _TEXT else None)
    return _applied(FUNCTIONS[name], arguments)


def _applied(
    function: Callable[..., str], arguments: list[Callable[[Fields], Any] | None]
) -> Part | None:
    known = [argument for argument in arguments if argument is not None]
    if len(known) < len(arguments):
        return None

    def apply(values: Fields) -> str:
        try:
            return function(*[argument(values) for argument in known])
        except ValueError:  # it would make too much
            raise Unsure from None

    return apply


def _argument(word: str, kind: type) -> Callable[[Fields], Any] | None:
    is_number = word[0] in "-0123456789"
    if kind is _NUMBER:
        number = int(word) if is_number else None
        return None if number is None else lambda _: number
    return None if is_number else _text(word)


def _text(word: str) -> Part | None:
    """Return the text of a field or of a string."""
    if word[0] in '"`':
        text = word[1:-1]
        return lambda _: text
    if word[0] != ".":
        return None
    name = word[1:]

    def field(values: Fields) -> str:
        value = values.get(name)
        if value is None or len(value) > MAX_CHARACTERS:
            raise Unsure
        return value

    return field
