"""LogQL text into tokens (Loki pkg/logql/syntax/lex.go over Go's text/scanner)."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final, NamedTuple

from shipper.logql.duration import parse_duration, parse_prometheus_duration
from shipper.logql.errors import LogQLError
from shipper.logql.quoted import unquote
from shipper.logql.words import word_kind


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


_MAX_INPUT: Final = 131_072

_SPACE: Final = re.compile(r"(?:\s+|#[^\n]*)*")
_WORD: Final = re.compile(r"[^\W\d]\w*")
_NUMBER: Final = re.compile(
    r"0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII
)
_DURATION: Final = re.compile(r"-?[0-9.nuµmshdwy]*[nuµmshdwy][0-9.nuµmshdwy]*")
_BYTES: Final = re.compile(r"[0-9.]+[BikKMGTP]+")
_OPERATOR: Final = re.compile(r"=~|!=|!~|!>|\|=|\|~|\|>|==|>=|<=|.", re.DOTALL)
_FLAG: Final = re.compile(r"--(?:strict|keep-empty)(?![\w-])")
_STRING: Final = re.compile(r'"((?:[^"\\\n]|\\[^\n])*)"')


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
        for reader in (self._flag, self._number, self._word):
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
            value = unquote(found[1])
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

    def _flag(self) -> Token | None:
        flag = _FLAG.match(self._text, self._position)
        if flag is None:
            return None
        return self._token("PARSER_FLAG", flag[0], len(flag[0]), peeked=True)

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
        word = found[0]
        kind = word_kind(self._text, found.end(), word)
        if kind is None:
            return self._token(Kind.IDENTIFIER, word, len(word))
        return self._token(kind, word.lower(), len(word))

    def _operator(self) -> Token:
        found = _OPERATOR.match(self._text, self._position)
        spelling = found[0] if found else self._text[self._position]
        known = spelling in _SPELLINGS
        kind = spelling if known else Kind.IDENTIFIER
        return self._token(kind, spelling, len(spelling), peeked=len(spelling) > 1)


_SPELLINGS: Final = frozenset(
    "{ } ( ) [ ] , . = != =~ !~ !> | |= |~ |> + - * / % ^ == > >= < <=".split()  # noqa: SIM905  a word list
)
