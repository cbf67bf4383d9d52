"""Headers a user adds to requests (prometheus/common headers.go, Go's httpguts)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from exporters.toolkit.decode import Problem, Secret


_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_UNFIT: Final = re.compile("[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")

# What the protocol, or another key of the section, decides.
_RESERVED: Final = frozenset(
    {
        "Authorization",
        "Host",
        "Content-Encoding",
        "Content-Length",
        "Content-Type",
        "User-Agent",
        "Connection",
        "Keep-Alive",
        "Proxy-Authenticate",
        "Proxy-Authorization",
        "Www-Authenticate",
        "Accept-Encoding",
        "X-Prometheus-Remote-Write-Version",
        "X-Prometheus-Remote-Read-Version",
        "X-Prometheus-Scrape-Timeout-Seconds",
        "X-Amz-Date",
        "X-Amz-Security-Token",
        "X-Amz-Content-Sha256",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpHeader:
    """The values of one header, each sent; *files* are read for each request."""

    values: tuple[str, ...] = ()
    secrets: tuple[Secret, ...] = ()
    files: tuple[str, ...] = ()

    def problems(self) -> Iterator[Problem]:
        secrets = (secret.reveal() for secret in self.secrets)
        if any(not is_header_value(value) for value in (*self.values, *secrets)):
            yield Problem("a header value must be one line of text")


def header_problem(name: str, values: Iterable[str]) -> str | None:
    """Return why a header *name* with *values* cannot be sent, None when it can."""
    if not _TOKEN.fullmatch(name):
        # The rest may be a value that lost its colon: no secret is shown.
        start = found[0] if (found := _TOKEN.match(name)) else ""
        return f'"{start}…" is not a valid header name'
    if all(map(is_header_value, values)):
        return None
    return f"{name}: a header value must be one line of text"


def reserved_problem(name: str) -> str | None:
    """Return why ``http_headers`` may not set *name*, None when it may."""
    canonical = "-".join(part.capitalize() for part in name.split("-"))
    if canonical in _RESERVED:
        return f'setting header "{canonical}" is not allowed'
    return None


def is_header_value(text: str) -> bool:
    """Say whether *text* can be sent: no line breaks, no other control characters."""
    return not _UNFIT.search(text)
