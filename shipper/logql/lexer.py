"""LogQL text into tokens (Loki pkg/logql/syntax/lex.go over Go's text/scanner)."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final, NamedTuple

from shipper.logql.duration import parse_prometheus_duration
from shipper.logql.errors import LogQLError


class Kind(StrEnum):
    """Token kinds without a spelling of their own, named as Loki's errors name them."""

    END = "$end"
    IDENTIFIER = "IDENTIFIER"
    STRING = "STRING"
    NUMBER = "NUMBER"
    DURATION = "DURATION"
    BYTES = "BYTES"
    RANGE = "RANGE"


class Token(NamedTuple):
    """One token; *kind* is a Kind or the spelling of a keyword or operator.

    *value* is a string's text, a number as written, or nanoseconds in decimals.
    """

    kind: str
    value: str
    line: int
    column: int


RANGE_FUNCTIONS: Final = frozenset(
    {
        "rate",
        "rate_counter",
        "count_over_time",
        "bytes_rate",
        "bytes_over_time",
        "avg_over_time",
        "sum_over_time",
        "min_over_time",
        "max_over_time",
        "stdvar_over_time",
        "stddev_over_time",
        "quantile_over_time",
        "first_over_time",
        "last_over_time",
        "absent_over_time",
    }
)
VECTOR_FUNCTIONS: Final = frozenset(
    "sum avg max min count stddev stdvar bottomk topk sort sort_desc "  # noqa: SIM905  a word list
    "approx_topk".split()
)
_OTHER_FUNCTIONS: Final = frozenset({"vector", "bytes", "duration", "duration_seconds"})
_FUNCTIONS: Final = RANGE_FUNCTIONS | VECTOR_FUNCTIONS | _OTHER_FUNCTIONS
_KEYWORDS: Final = frozenset(
    "by without bool offset on ignoring group_left group_right or and unless json "  # noqa: SIM905  a word list
    "regexp logfmt unpack pattern label_format line_format ip decolorize drop keep "
    "unwrap label_replace".split()
)
_MAX_INPUT: Final = 131_072

_SPACE: Final = re.compile(r"(?:\s+|#[^\n]*)*")
_WORD: Final = re.compile(r"[^\W\d]\w*")
_NUMBER: Final = re.compile(
    r"0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII
)
_DURATION: Final = re.compile(r"-?[0-9.nuµmshdwy]*[nuµmshdwy][0-9.nuµmshdwy]*")
_BYTES: Final = re.compile(r"[0-9.]+[BikKMGTP]+")
_OPERATOR: Final = re.compile(r"=~|!=|!~|!>|\|=|\|~|\|>|==|>=|<=|.", re.DOTALL)
_FUNCTION_AHEAD: Final = re.compile(r"\s*(?:\(|(?:by|without)\s*\()", re.IGNORECASE)
_STRING: Final = re.compile(r'"((?:[^"\\\n]|\\[^\n])*)"')
_ESCAPE: Final = re.compile(
    rb"\\(?:([abfnrtv\\\"'])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})"
    rb"|([0-3][0-7]{2})|(.?))",
    re.DOTALL,
)
_ESCAPED: Final = dict(zip(b"abfnrtv\\\"'", b"\a\b\f\n\r\t\v\\\"'", strict=True))
_GO_DURATION_PART: Final = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)")
_GO_UNITS: Final = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}


def tokenize(text: str) -> list[Token]:
    """Return the tokens of *text*, the last of kind END. Raises LogQLError."""
    if len(text) >= _MAX_INPUT:
        size = f"input size too long ({len(text)} > {_MAX_INPUT})"
        raise LogQLError.at(0, 0, size)
    scanner = _Scanner(text)
    tokens = [scanner.next()]
    while tokens[-1].kind != Kind.END:
        tokens.append(scanner.next())
    return tokens


def parse_duration(text: str) -> int:
    """Return the nanoseconds of *text*, Prometheus' or else Go's. Raises ValueError."""
    try:
        return parse_prometheus_duration(text)
    except ValueError:
        unsigned = text.removeprefix("-")
        parts = list(_GO_DURATION_PART.finditer(unsigned))
        if not parts or "".join(part[0] for part in parts) != unsigned:
            raise
        total = sum(float(part[1][:40]) * _GO_UNITS[part[2]] for part in parts)
        return round(-total if text.startswith("-") else total)


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0

    def next(self) -> Token:
        space = _SPACE.match(self._text, self._position)
        self._position = space.end() if space else self._position
        if self._position == len(self._text):
            return self._token(Kind.END, "", 0)
        char = self._text[self._position]
        if char == '"':
            return self._string()
        if char == "`":
            return self._raw_string()
        if char == "[":
            return self._range()
        for reader in (self._number, self._word):
            token = reader()
            if token is not None:
                return token
        return self._operator()

    def _place(self) -> tuple[int, int]:
        line = self._text.count("\n", 0, self._position) + 1
        start = self._text.rfind("\n", 0, self._position) + 1
        return line, self._position - start + 1

    def _token(
        self, kind: str, value: str, length: int, *, peeked: bool = False
    ) -> Token:
        """Advance over a token.

        *peeked*: Loki reads past the scanner's token, which loses its line number.
        """
        line, column = self._place()
        self._position += length
        return Token(kind, value, 0 if peeked else line, column)

    def _fail(self, text: str, *, peeked: bool = False) -> LogQLError:
        line, column = self._place()
        return LogQLError.at(0 if peeked else line, column, text)

    def _string(self) -> Token:
        found = _STRING.match(self._text, self._position)
        if found is None:
            raise self._fail("literal not terminated")
        try:
            value = _unquote(found[1])
        except ValueError as error:
            raise self._fail(str(error)) from None
        return self._token(Kind.STRING, value, len(found[0]))

    def _raw_string(self) -> Token:
        end = self._text.find("`", self._position + 1)
        if end < 0:
            raise self._fail("literal not terminated")
        value = self._text[self._position + 1 : end].replace("\r", "")
        return self._token(Kind.STRING, value, end + 1 - self._position)

    def _range(self) -> Token:
        end = self._text.find("]", self._position)
        if end < 0:
            raise self._fail("missing closing ']' in duration", peeked=True)
        try:
            value = parse_prometheus_duration(self._text[self._position + 1 : end])
        except ValueError as error:
            raise self._fail(str(error), peeked=True) from None
        length = end + 1 - self._position
        return self._token(Kind.RANGE, str(value), length, peeked=True)

    def _number(self) -> Token | None:
        duration = _DURATION.match(self._text, self._position)
        if duration is not None and any(char.isdigit() for char in duration[0]):
            try:
                value = str(parse_duration(duration[0]))
            except ValueError:
                pass  # then it is a number, and what follows another token
            else:
                length = len(duration[0])
                return self._token(Kind.DURATION, value, length, peeked=True)
        size = _BYTES.match(self._text, self._position)
        if size is not None:
            return self._token(Kind.BYTES, size[0], len(size[0]), peeked=True)
        number = _NUMBER.match(self._text, self._position)
        if number is None:
            return None
        return self._token(Kind.NUMBER, number[0], len(number[0]))

    def _word(self) -> Token | None:
        found = _WORD.match(self._text, self._position)
        if found is None:
            return None
        word, lower = found[0], found[0].lower()
        if lower in _FUNCTIONS and _FUNCTION_AHEAD.match(self._text, found.end()):
            return self._token(lower.upper(), lower, len(word))
        if lower in _KEYWORDS:
            return self._token(lower, lower, len(word))
        return self._token(Kind.IDENTIFIER, word, len(word))

    def _operator(self) -> Token:
        found = _OPERATOR.match(self._text, self._position)
        spelling = found[0] if found else self._text[self._position]
        known = spelling in _SPELLINGS
        kind = spelling if known else Kind.IDENTIFIER
        return self._token(kind, spelling, len(spelling), peeked=len(spelling) > 1)


_SPELLINGS: Final = frozenset(
    "{ } ( ) [ ] , . = != =~ !~ !> | |= |~ |> + - * / % ^ == > >= < <=".split()  # noqa: SIM905  a word list
)


def _unquote(text: str) -> str:
    """Resolve Go's escapes; bytes that are no UTF-8 become surrogate escapes."""
    if "\\" not in text:
        return text

    def resolve(found: re.Match[bytes]) -> bytes:
        simple, byte, short, long, octal, other = found.groups()
        if simple:
            return bytes([_ESCAPED[simple[0]]])
        if byte or octal:
            return bytes([int(byte, 16) if byte else int(octal, 8)])
        code = int(short or long or b"-1", 16)
        if other is not None or not 0 <= code < 0x110000 or 0xD800 <= code < 0xE000:
            raise ValueError("invalid char escape")
        return chr(code).encode()

    raw = text.encode("utf-8", "surrogateescape")
    return _ESCAPE.sub(resolve, raw).decode("utf-8", "surrogateescape")
