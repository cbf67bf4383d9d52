"""Stream labels as text: Prometheus' metric syntax with its error texts.

Counterpart of promql/parser ParseMetric as Loki's syntax.ParseLabels calls it (lex.go,
generated_parser.y `label_set`).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from shipper.loki.encode import quote
from shipper.pipeline.entry import Labels
from shipper.wire.quoted import RAW, STRING, rune, unescape


_SPACE: Final = " \t\n\r"
_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_METRIC: Final = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")
_EQUALS: Final = re.compile("=(?!~)")
_COMMA: Final = re.compile(",")


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
            raw = RAW.match(self.text, self.at)
            if raw is None:
                raise self._bad_string("unterminated raw string")
            self.at = raw.end()
            return raw.group(1)
        if opening not in {'"', "'"}:
            raise self._unexpected("string")
        match = STRING.match(self.text, self.at)
        if match is None:
            raise self._bad_string("unterminated quoted string")
        body = match.group(1) if opening == '"' else match.group(2)
        try:
            value = unescape(body, opening)
        except ValueError as error:
            raise self._error(str(error)) from None
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
        elif string := (STRING.match(rest) or RAW.match(rest)):
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
            return self._error(f"unexpected left brace {rune(char)}")
        elif char == "!":
            return self._error(
                f"unexpected character after '!' inside braces: {rune(rest[1:2])}"
            )
        else:
            return self._error(f"unexpected character inside braces: {rune(char)}")
        return self._error(f"unexpected {found} in label set, expected {expected}")

    def _outside(self) -> LabelError:
        rest = self.text[self.at :]
        if match := _IDENTIFIER.match(rest):
            return self._error(f"unexpected identifier {quote(match.group())}")
        if rest[0] in "{},":
            return self._error(f'unexpected "{rest[0]}"')
        return self._error(f"unexpected character: {rune(rest[0])}")

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
