"""What can go wrong with a request, and in which of its phases."""

from __future__ import annotations


class HttpError(Exception):
    """A connection that was there brought no answer; one line says why."""


class NoAnswerError(HttpError):
    """The connection ended before a byte of an answer came."""


class DamagedError(HttpError):
    """What came is no answer of HTTP, or its end is missing."""


class UnreachableError(HttpError):
    """There is no connection to the server, or with *proxy* none to the proxy."""

    def __init__(self, error: OSError, *, proxy: bool = False) -> None:
        super().__init__(str(error))
        self.error = error
        self.proxy = proxy


class ProxyRefusalError(HttpError):
    """The proxy opens no tunnel; *status* and *words* are its answer."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(f"HTTP {status} {words}")
        self.status = status
        self.words = words
