"""What can go wrong between a request and the file."""

from __future__ import annotations

from exporters.toolkit.errors import StartError


class StoreStartError(StartError):
    """Report a file or folder the store cannot work with; exit 1."""


class Answer(Exception):  # noqa: N818 -- it is an answer, and not always a failure
    """End a request with *status* and the one-line *text* that Loki would send."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class Unavailable(Answer):
    """Report that SQLite refused (disk full, I/O error): nothing was stored."""

    def __init__(self, text: str) -> None:
        super().__init__(500, text)


TIMED_OUT = (
    "request timed out, decrease the duration of the request or add more label "
    "matchers (prefer exact match over regex match) to reduce the amount of data "
    "processed"
)
"""Loki's pkg/util/server/error.go, ErrDeadlineExceeded (504)."""


def failure(error: Exception) -> str:
    """Return *error* as one line for a log or a response."""
    return " ".join(str(error).split()) or type(error).__name__
