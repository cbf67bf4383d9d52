"""What can go wrong between a request and the file."""

from __future__ import annotations

from exporters.toolkit.errors import StartError
from shipper.wire.errors import Answer


class StoreStartError(StartError):
    """Report a file or folder the store cannot work with; exit 1."""


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
