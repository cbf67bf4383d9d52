"""A cursor over LogQL tokens, and Loki's words for a token that does not fit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NoReturn

from shipper.logql.errors import LogQLError
from shipper.logql.lexer import Kind, Token


_MAX_DEPTH: Final = 64


class Cursor:
    """Reads *tokens*, which end with an END token, from left to right."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._index = 0
        self._depth = 0

    @property
    def token(self) -> Token:
        """Return the token that comes next."""
        return self._tokens[self._index]

    def ahead(self, count: int) -> str:
        """Return the kind of the token *count* places after the next."""
        return self._tokens[min(self._index + count, len(self._tokens) - 1)].kind

    def take(self) -> Token:
        """Return the next token and step over it."""
        token = self.token
        self._index += token.kind != Kind.END
        return token

    def accept(self, *kinds: str) -> Token | None:
        """Take the next token if it is of one of *kinds*."""
        return self.take() if self.token.kind in kinds else None

    def expect(self, *kinds: str, hint: tuple[str, ...] = ()) -> Token:
        """Take a token of one of *kinds*, else fail, naming *hint* as expected."""
        if self.token.kind not in kinds:
            self.unexpected(*hint)
        return self.take()

    def identifier(self, *hint: str) -> str:
        """Take a name, else fail, naming *hint* as expected."""
        return self.expect(Kind.IDENTIFIER, hint=hint).value

    def unexpected(self, *expected: str) -> NoReturn:
        """Fail at the next token; Loki lists *expected* if at most four fit."""
        text = f"syntax error: unexpected {self.token.kind}"
        if expected:
            text += ", expecting " + " or ".join(expected)
        raise LogQLError.at(self.token.line, self.token.column, text)

    def unsupported(self, what: str) -> NoReturn:
        """Fail because *what* is LogQL, but not of the part spoken here."""
        text = f"{what} is not supported here, only by Loki"
        raise LogQLError.at(self.token.line, self.token.column, text)

    @contextmanager
    def nested(self) -> Iterator[None]:
        """Count one level of parentheses, and refuse a tower of them."""
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            self.unsupported("a query nested this deeply")
        yield
        self._depth -= 1
