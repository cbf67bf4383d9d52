"""What a client asks for (net/http ``request.go`` and ``header.go``)."""

from __future__ import annotations

from collections.abc import Sequence

from .target import parse_query, parse_target


class Headers:
    """The headers of a request; names in any case, several values of one kept."""

    __slots__ = ("_values",)

    def __init__(self, values: dict[str, list[str]]) -> None:
        """Take *values* by names in lower case."""
        self._values = values

    def get(self, name: str, default: str = "") -> str:
        """Return the first value of *name*."""
        found = self._values.get(name.lower())
        return found[0] if found else default

    def getall(self, name: str) -> Sequence[str]:
        """Return the values of *name*, as many as there are."""
        return self._values.get(name.lower(), ())

    def have_blanks(self) -> bool:
        """Tell whether a name has a blank, which is read and then refused."""
        return any(" " in name for name in self._values)

    def tokens(self, name: str) -> set[str]:
        """Return the words of a header that lists words, in lower case."""
        words = ",".join(self.getall(name)).lower().split(",")
        return {word.strip(" \t") for word in words}


class Request:
    """What a client asks: *path* and *query* with their percent signs undone.

    *minor* is 0 for HTTP/1.0. *length* is that of the body, None for one in chunks.
    """

    __slots__ = (
        "_query",
        "headers",
        "keep_alive",
        "length",
        "method",
        "minor",
        "path",
        "raw_query",
        "target",
    )

    def __init__(
        self, method: str, target: str, headers: Headers | None = None, minor: int = 1
    ) -> None:
        """Read *target*; raises ValueError if it names nothing."""
        self.method = method
        self.target = target
        self.headers = Headers({}) if headers is None else headers
        self.minor = minor
        self.path, self.raw_query = parse_target(target, connect=method == "CONNECT")
        self._query: dict[str, list[str]] | None = None
        self.length: int | None = 0
        self.keep_alive = minor > 0

    @property
    def query(self) -> dict[str, list[str]]:
        """The values of each parameter."""
        if self._query is None:
            self._query = parse_query(self.raw_query)
        return self._query
