"""One line of the Prometheus text format, read from left to right (expfmt)."""

from __future__ import annotations

import math
import re


METRIC_NAME = re.compile(rb"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL_NAME = re.compile(rb"[a-zA-Z_][a-zA-Z0-9_]*")

_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_TOKEN = re.compile(rb"[^ \t]*")
_BLANKS = re.compile(rb"[ \t]*")
_ESCAPE = re.compile(rb"\\(.)?", re.DOTALL)
_UNESCAPED = {b"n": b"\n", b"\\": b"\\", b'"': b'"'}
# Go's ParseFloat without what it takes from Go source: hexadecimal and underscores.
_FLOAT = re.compile(
    rb"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|(?i:inf(?:inity)?))"
    rb"|(?i:nan)"
)
_INTEGER = re.compile(rb"[+-]?[0-9]+")
_INT64_MAX = 2**63 - 1


class ParseError(ValueError):
    """Report text that is not in the format *form*; *line* counts from 1."""

    def __init__(self, line: int, reason: str, form: str = "text format") -> None:
        super().__init__(f"{form} parsing error in line {line}: {reason}")
        self.line = line
        self.reason = reason


class Line:
    """One line and how far it is read."""

    __slots__ = ("_position", "_text", "number")

    def __init__(self, number: int, text: bytes, position: int = 0) -> None:
        self.number = number
        self._text = text
        self._position = position

    def error(self, reason: str) -> ParseError:
        return ParseError(self.number, reason)

    @property
    def next(self) -> bytes:
        return self._text[self._position : self._position + 1]

    @property
    def shown_next(self) -> str:
        """Return the next byte as Go's %q shows it."""
        return repr(self.next.decode("latin-1")) if self.next else "'\\n'"

    def at_end(self) -> bool:
        return self._position >= len(self._text)

    def advance(self) -> None:
        self._position += 1

    def skip_blanks(self) -> None:
        self._position += len(self._match(_BLANKS))

    def rest(self) -> bytes:
        start, self._position = self._position, len(self._text)
        return self._text[start:]

    def token(self) -> bytes:
        """Return what comes before the next blank."""
        token = self._match(_TOKEN)
        self._position += len(token)
        return token

    def name(self, pattern: re.Pattern[bytes]) -> bytes:
        """Return a bare or quoted name, nothing if there is none. Raises ParseError."""
        if self.next == b'"':
            return self._quoted("metric name")
        name = self._match(pattern)
        self._position += len(name)
        return name

    def _match(self, pattern: re.Pattern[bytes]) -> bytes:
        found = pattern.match(self._text, self._position)
        return found[0] if found else b""

    def _quoted(self, what: str) -> bytes:
        found = _QUOTED.match(self._text, self._position)
        if found is None:
            text = self._text[self._position + 1 :]
            raise self.error(f"{what} {shown(text)} contains unescaped new-line")
        self._position = found.end()
        return self.unescape(found[1])

    def unescape(self, text: bytes) -> bytes:
        return _ESCAPE.sub(self._unescaped, text) if b"\\" in text else text

    def _unescaped(self, found: re.Match[bytes]) -> bytes:
        try:
            return _UNESCAPED[found[1]]
        except KeyError:
            shown = text_of(found[1] or b"\n")
            raise self.error(f"invalid escape sequence '\\{shown}'") from None

    def closes_labels(self) -> bool:
        """Tell whether a closing brace is next, and go past it and blanks."""
        self.skip_blanks()
        if self.next != b"}":
            return False
        self.advance()
        self.skip_blanks()
        return True

    def label(self, name: bytes) -> tuple[str, str]:
        """Return the label *name*; the line stands at its equals sign."""
        text = text_of(name)
        if name.startswith(b"__"):  # Go refuses only __name__ here, then panics
            raise self.error(f'label name "{text}" is reserved')
        if not LABEL_NAME.fullmatch(name):
            raise self.error(f"invalid label name {shown(name)}")
        self.advance()
        self.skip_blanks()
        if self.next != b'"':
            raise self.error(
                f"expected '\"' at start of label value, found {self.shown_next}"
            )
        value = self._quoted("label value")
        try:
            return text, value.decode("utf-8")
        except UnicodeDecodeError:
            raise self.error(f"invalid label value {shown(value)}") from None

    def end_label(self, value: str) -> None:
        """Go past the comma after a label; a closing brace is left where it is."""
        self.skip_blanks()
        if self.next == b",":
            self.advance()
        elif self.next != b"}":
            raise self.error(f"unexpected end of label value {shown(value.encode())}")

    def value(self) -> float:
        token = self.token()
        value = parse_float(token)
        if value is None:
            raise self.error(f"expected float as value, got {shown(token)}")
        return value

    def timestamp(self) -> None:
        self.skip_blanks()
        token = self.token()
        if not _INTEGER.fullmatch(token) or not _is_int64(token):
            raise self.error(f"expected integer as timestamp, got {shown(token)}")
        spurious = self.rest()
        if spurious:
            raise self.error(f"spurious string after timestamp: {shown(spurious)}")


def parse_float(token: bytes) -> float | None:
    if not _FLOAT.fullmatch(token):
        return None
    value = float(token)
    # 1e400 is out of range for Go, not infinite.
    return None if math.isinf(value) and not token.lstrip(b"+-").isalpha() else value


def _is_int64(token: bytes) -> bool:
    digits = token.lstrip(b"+-").lstrip(b"0")
    return len(digits) < 20 and -_INT64_MAX - 1 <= int(token) <= _INT64_MAX


def text_of(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def shown(data: bytes) -> str:
    """Return *data* quoted for one line of a log, cut where it is long."""
    limit = 80
    text = text_of(data if len(data) <= limit else data[:limit] + b"...")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return '"' + escaped.replace("\t", "\\t").replace("\r", "\\r") + '"'
