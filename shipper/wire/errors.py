"""What can be wrong with a request, and how it is answered."""

from __future__ import annotations


class DecodeError(ValueError):
    """Report a body that is no PushRequest (400, nothing stored)."""


class Answer(Exception):  # noqa: N818 -- it is an answer, and not always a failure
    """End a request with *status* and the one-line *text* that Loki would send."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


def failure(error: Exception) -> str:
    """Return *error* as one line for a log or a response."""
    return " ".join(str(error).split()) or type(error).__name__
