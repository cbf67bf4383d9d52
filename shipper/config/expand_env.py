r"""``-config.expand-env``: replace ``${VAR}`` in the text before it is YAML.

Counterpart of drone/envsubst 1.0, with its ways: only the form with braces counts, an
unset variable is "", ``$$`` is ``$``, ``\\`` is ``\`` (outside of braces), ``:-``,
``:=``, ``:+``, ``:?`` and ``=`` all mean "or else", and ``${X-y}`` is an error. So a
relabelling's ``${1}`` has to be written ``$${1}``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from exporters.toolkit.regex import Regex, RegexError


class ExpandError(ValueError):
    """Say what cannot be replaced; *offset* is where its ``${`` begins."""

    def __init__(self, offset: int, text: str) -> None:
        super().__init__(text)
        self.offset = offset


_NAME: Final = re.compile(r"\w+")
_LENGTH: Final = re.compile(r"#(\w+)\}")
_DEFAULT: Final = re.compile(r":[-=?+]|=")
_CASING: Final = re.compile(r"([,^]{1,2})\}")
_REPLACE: Final = re.compile(r"/[/#%]?")
_REMOVE: Final = re.compile(r"##?|%%?")
_ESCAPE: Final = re.compile(r"\\([/\\])|\$(\$)")
_INTEGER: Final = re.compile(r"[-+]?[0-9]{1,18}")
_BAD: Final = "bad substitution"
_BAD_PARAMETER: Final = "unable to parse substitution within function"
_MAX_DEPTH: Final = 50


def expand_env(text: str, environ: Mapping[str, str]) -> str:
    """Return *text* with its ``${...}`` replaced from *environ*. Raises ExpandError."""
    return _Expander(text, environ).expand()


class _Expander:
    """Walks over the text once; ``_position`` is the next character."""

    def __init__(self, text: str, environ: Mapping[str, str]) -> None:
        self._text = text
        self._environ = environ
        self._position = 0
        self._start = 0
        self._depth = 0

    def expand(self) -> str:
        parts: list[str] = []
        while self._position < len(self._text):
            if self._text.startswith("${", self._position):
                self._start = self._position
                parts.append(self._substitution())
            else:
                parts.append(self._literal("", escapes=True))
        return "".join(parts)

    def _literal(self, stops: str, *, escapes: bool) -> str:
        """Take text up to ``${`` or one of *stops*, escapes resolved or not."""
        begin, parts = self._position, []
        while self._position < len(self._text):
            char = self._text[self._position]
            if char in stops or self._text.startswith("${", self._position):
                break
            escape = _ESCAPE.match(self._text, self._position) if escapes else None
            parts.append((escape[1] or escape[2]) if escape else char)
            self._position += 2 if escape else 1
        if stops and begin == self._position:
            raise self._error(_BAD_PARAMETER)
        return "".join(parts)

    def _error(self, text: str) -> ExpandError:
        return ExpandError(self._start, text)

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self._text, self._position)
        if found is not None:
            self._position = found.end()
        return found

    def _close(self, text: str = _BAD) -> None:
        if not self._text.startswith("}", self._position):
            raise self._error(text)
        self._position += 1

    def _substitution(self) -> str:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise self._error("nested too deeply")
        self._position += 2
        value = self._function()
        self._depth -= 1
        return value

    def _function(self) -> str:
        if self._text.startswith("#", self._position):
            length = self._take(_LENGTH)
            if length is None:
                raise self._error(_BAD)
            return str(len(_bytes(self._environ.get(length[1], ""))))
        name = self._take(_NAME)
        if name is None:
            raise self._error("unable to parse variable name")
        value = self._environ.get(name[0], "")
        if self._take(_DEFAULT):
            return self._or_else(value)
        operations: dict[str, Callable[[str], str]] = {
            ":": self._substring,
            ",": self._casing,
            "^": self._casing,
            "/": self._replace,
            "#": self._remove,
            "%": self._remove,
        }
        following = self._text[self._position : self._position + 1]
        if following in operations:
            return operations[following](value)
        self._close("missing closing brace")
        return value

    def _parameter(self, stops: str, *, escapes: bool = False) -> str:
        if self._text.startswith("${", self._position):
            return self._substitution()
        return self._literal(stops, escapes=escapes)

    def _or_else(self, value: str) -> str:
        parts: list[str] = []
        while not self._text.startswith("}", self._position):
            parts.append(self._parameter("}"))
        self._close()
        return value or "".join(parts)

    def _substring(self, value: str) -> str:
        self._position += 1
        arguments = [self._parameter(":}")]
        if self._text.startswith(":", self._position):
            while self._text.startswith(":", self._position):
                self._position += 1
            arguments.append(self._parameter("}"))
        self._close()
        if not all(_INTEGER.fullmatch(argument) for argument in arguments):
            return value
        data, (first, *length) = _bytes(value), map(int, arguments)
        first = max(first + len(data), 0) if first < 0 else first
        if length and length[0] < 0 and first + length[0] < len(data):
            raise self._error(_BAD)  # envsubst would crash
        end = first + length[0] if length else len(data)
        return data[first:end].decode("utf-8", "surrogateescape")

    def _casing(self, value: str) -> str:
        operator = self._take(_CASING)
        if operator is None:
            raise self._error(_BAD)
        return {
            ",,": value.lower(),
            "^^": value.upper(),
            ",": value[:1].lower() + value[1:],
            "^": value[:1].upper() + value[1:],
        }.get(operator[1], value)

    def _replace(self, value: str) -> str:
        operator = self._take(_REPLACE)
        old = self._parameter("/", escapes=True)
        if not self._text.startswith("/", self._position):
            raise self._error(_BAD)
        while self._text.startswith("/", self._position):
            self._position += 1
        blank = self._text.startswith("}", self._position)
        new = "" if blank else self._parameter("}", escapes=True)
        self._close()
        kind = operator[0] if operator else "/"
        if kind in {"/#", "/%"}:
            # envsubst leaves the value alone when nothing is to be put in.
            return value if blank else _replace_end(value, old, new, kind)
        return value.replace(old, new, -1 if kind == "//" else 1)

    def _remove(self, value: str) -> str:
        operator = self._take(_REMOVE)
        glob = self._parameter("}")
        self._close()
        kind = operator[0] if operator else "#"
        longest = len(kind) == 2
        if kind[0] == "#":
            return _trim(value, glob, longest=longest)
        # The end is trimmed as the start of the reversed text, class brackets too.
        return _trim(value[::-1], glob[::-1], longest=longest)[::-1]


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _replace_end(value: str, old: str, new: str, kind: str) -> str:
    if kind == "/#":
        return value.replace(old, new, 1) if value.startswith(old) else value
    return value.removesuffix(old) + new if value.endswith(old) else value


def _trim(value: str, glob: str, *, longest: bool) -> str:
    try:
        pattern = Regex(_glob_to_regex(glob))
    except RegexError:
        return value
    lengths = range(len(value), 0, -1) if longest else range(1, len(value) + 1)
    matching = (n for n in lengths if pattern.matches(value[:n]))
    return value[next(matching, 0) :]


def _glob_to_regex(glob: str) -> str:
    r"""Translate a shell pattern: ``*``, ``?``, ``[a-z]``, ``[^a]``, ``\x``."""
    token = re.compile(r"\*|\?|\[\^?(?:\\.|[^\]\\])+\]|\\(.)|(.)", re.DOTALL)
    fixed = {"*": "(?s:.*)", "?": "(?s:.)"}

    def translate(found: re.Match[str]) -> str:
        if found[2] in {"[", "\\"}:
            return "("  # an open class or a trailing backslash: not a pattern
        if found[0].startswith("["):
            return found[0].replace("[:", "[\\:")
        single = found[1] or found[2]
        return fixed[found[0]] if single is None else re.escape(single)

    return token.sub(translate, glob)
