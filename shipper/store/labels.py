"""Stream labels as text: Prometheus' metric syntax with its error texts.

Counterpart of promql/parser ParseMetric as Loki's syntax.ParseLabels calls it (lex.go,
generated_parser.y `label_set`), and of the push parser's service_name discovery.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

from shipper.loki.encode import format_labels, quote
from shipper.pipeline.entry import Labels
from shipper.store.model import SERVICE_NAME


UNKNOWN_SERVICE: Final = "unknown_service"
DISCOVER_SERVICE_NAME: Final = (
    "service", "app", "application", "app_name", "name", "app_kubernetes_io_name",
    "container", "container_name", "k8s_container_name", "component", "workload", "job",
    "k8s_job_name",
)  # fmt: skip
"""Loki's validation.discover-service-name (pkg/validation/limits.go, 3.4)."""

_SPACE: Final = " \t\n\r"
_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_METRIC: Final = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")
_STRING: Final = re.compile(
    r'"((?:[^"\\\n\ufffd]|\\.)*)"|\'((?:[^\'\\\n\ufffd]|\\.)*)\''
)
_EQUALS: Final = re.compile("=(?!~)")
_COMMA: Final = re.compile(",")
_RAW: Final = re.compile(r"`([^`\ufffd]*)`")
_ESCAPE: Final = re.compile(
    r"\\(?:([abfnrtv\\'\"])|([0-7]{3})|x([0-9A-Fa-f]{2})"
    r"|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))",
    re.DOTALL,
)
_CONTROL: Final = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
}  # fmt: skip


class LabelError(ValueError):
    """Report label text that does not parse: ``1:3: parse error: …``."""


@lru_cache(maxsize=4096)
def parse_labels(text: str) -> Labels:
    """Return the pairs of *text* (``{a="b", c="d"}``) by name, empty values left out.

    A name given twice is kept twice: Loki refuses it later, with another text.
    Raises LabelError. Cached: a client pushes the same few streams again and again.
    """
    pairs = _Parser(text).metric()
    return tuple(sorted(pair for pair in pairs if pair[1]))


def with_service_name(labels: Labels, sources: Sequence[str]) -> Labels:
    """Return *labels* with service_name taken from the first of *sources* that is set.

    Unchanged where the label exists or *sources* is empty; else unknown_service when
    none is set. Loki pkg/loghttp/push/push.go, ParseLokiRequest.
    """
    present = dict(labels)
    if SERVICE_NAME in present or not sources:
        return labels
    found = next(
        (present[name] for name in sources if name in present), UNKNOWN_SERVICE
    )
    return tuple(sorted((*labels, (SERVICE_NAME, found))))


__all__ = ["LabelError", "format_labels", "parse_labels", "with_service_name"]


class _Parser:
    """A cursor over one label text. Columns count bytes, as Go's do."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def metric(self) -> list[tuple[str, str]]:
        pairs: list[tuple[str, str]] = []
        self._skip()
        if match := _METRIC.match(self.text, self.at):
            pairs.append(("__name__", match.group()))
            self.at = match.end()
            self._skip()
        if self._peek() == "{":
            self.at += 1
            pairs += self._pairs()
            self._skip()
        if self.at < len(self.text):
            raise self._outside()
        return pairs

    def _pairs(self) -> list[tuple[str, str]]:
        pairs: list[tuple[str, str]] = []
        self._skip()
        while self._peek() != "}":
            name = self._token(_IDENTIFIER, 'identifier or "}"')
            self._token(_EQUALS, '"="')
            pairs.append((name, self._string()))
            self._skip()
            if self._peek() == "}":
                break
            self._token(_COMMA, '"," or "}"')
            self._skip()
        self.at += 1
        return pairs

    def _token(self, pattern: re.Pattern[str], expected: str) -> str:
        self._skip()
        match = pattern.match(self.text, self.at)
        if match is None:
            raise self._unexpected(expected)
        self.at = match.end()
        return match.group()

    def _string(self) -> str:
        self._skip()
        opening = self._peek()
        if opening == "`":
            raw = _RAW.match(self.text, self.at)
            if raw is None:
                raise self._bad_string("unterminated raw string")
            self.at = raw.end()
            return raw.group(1)
        if opening not in {'"', "'"}:
            raise self._unexpected("string")
        match = _STRING.match(self.text, self.at)
        if match is None:
            raise self._bad_string("unterminated quoted string")
        body = match.group(1) if opening == '"' else match.group(2)
        value = _unescape(body, opening, self._error) if "\\" in body else body
        self.at = match.end()
        return value

    def _bad_string(self, otherwise: str) -> LabelError:
        if "\ufffd" in self.text[self.at :]:
            return self._error("invalid UTF-8 rune")
        return self._error(otherwise)

    def _unexpected(self, expected: str) -> LabelError:  # noqa: PLR0911 -- a table
        """Say what the lexer, or the grammar after it, says of the next token."""
        rest = self.text[self.at :]
        char = rest[:1]
        if not char:
            return self._error("unexpected end of input inside braces")
        if identifier := _IDENTIFIER.match(rest):
            found = f"identifier {quote(identifier.group())}"
        elif string := (_STRING.match(rest) or _RAW.match(rest)):
            text = string.group()
            short = f"{quote(text[:10])}..." if len(text.encode()) > 10 else quote(text)
            found = f"string {short}"
        elif char in "\"'`":
            return self._bad_string(
                "unterminated raw string"
                if char == "`"
                else "unterminated quoted string"
            )
        elif rest[:2] in {"=~", "!~", "!="} or char == "=":
            operator = rest[:2] if rest[:2] in {"=~", "!~", "!="} else "="
            found = f'"{operator}"' if operator == "=" else f"<op:{operator}>"
            return self._error(f"unexpected {found} in label set, expected {expected}")
        elif char in ",}":
            found = f'"{char}"'
        elif char == "{":
            return self._error(f"unexpected left brace {_rune(char)}")
        elif char == "!":
            return self._error(
                f"unexpected character after '!' inside braces: {_rune(rest[1:2])}"
            )
        else:
            return self._error(f"unexpected character inside braces: {_rune(char)}")
        return self._error(f"unexpected {found} in label set, expected {expected}")

    def _outside(self) -> LabelError:
        rest = self.text[self.at :]
        if match := _IDENTIFIER.match(rest):
            return self._error(f"unexpected identifier {quote(match.group())}")
        if rest[0] in "{},":
            return self._error(f'unexpected "{rest[0]}"')
        return self._error(f"unexpected character: {_rune(rest[0])}")

    def _error(self, text: str) -> LabelError:
        before = self.text[: self.at].encode("utf-8", "surrogatepass")
        line = before.count(b"\n") + 1
        column = len(before) - (before.rfind(b"\n") + 1) + 1
        return LabelError(f"{line}:{column}: parse error: {text}")

    def _peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def _skip(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in _SPACE:
            self.at += 1


def _rune(char: str) -> str:
    """Return *char* as Go's %q prints a rune."""
    if not char:
        return "'\\uffff'"  # Go's lexer has -1 there
    return "'\\''" if char == "'" else f"'{quote(char)[1:-1]}'".replace('\\"', '"')


def _unescape(body: str, opening: str, error: Callable[[str], LabelError]) -> str:
    """Return *body* with Go's escapes resolved (strutil.Unquote)."""
    raw = False

    def replace(match: re.Match[str]) -> str:
        nonlocal raw
        simple, octal, hexa, short, long, other = match.groups()
        if simple in _CONTROL:
            return _CONTROL[simple]
        if simple and simple in {"\\", opening}:
            return simple
        if octal or hexa:  # bytes, which together may be UTF-8
            code = int(octal, 8) if octal else int(hexa, 16)
            if code > 255:
                raise error("escape sequence is an invalid Unicode code point")
            raw = raw or code > 127
            return chr(code) if code < 128 else chr(0xDC00 + code)
        if short or long:
            code = int(short or long, 16)
            if code > 0x10FFFF or 0xD800 <= code < 0xE000:
                raise error("escape sequence is an invalid Unicode code point")
            return chr(code)
        char = other or simple
        raise error(f"unknown escape sequence U+{ord(char):04X} {_rune(char)}")

    text = _ESCAPE.sub(replace, body)
    if raw:
        text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return text
