"""Where a redirected push goes (Go's net/http Client, RFC 9110 §15.4)."""

from __future__ import annotations

from typing import Final

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from .outcome import Answer


MAX_REDIRECTS: Final = 10

REPEATED: Final = frozenset({307, 308})
"""Statuses that repeat the POST with its body.

After 301, 302 and 303 Go sends a GET without one. Nothing is stored by that, whatever
the answer to it is, so here they are not followed.
"""

_REDIRECTS: Final = REPEATED | {301, 302, 303}


def moved_to(response: aiohttp.ClientResponse) -> URL | None:
    """Return where *response* sends the client, None when it is no redirect."""
    location = response.headers.get("Location")
    if response.status not in _REDIRECTS or not location:
        return None
    try:
        target = response.url.join(URL(location))
    except ValueError:
        return None
    return target if target.scheme in {"http", "https"} and target.host else None


def refusal_to_follow(status: int, target: URL) -> Answer:
    """Return the answer of a redirect that drops the body, for a person to read."""
    shown = target.with_user(None).with_query(None).with_fragment(None)
    reason = f"redirected to {shown}, where a POST does not follow: is that the url?"
    return Answer(status, reason)


def carried(headers: CIMultiDict[str], origin: URL, target: URL) -> CIMultiDict[str]:
    """Return *headers* for *target*: no login for other hosts, or in plain text."""
    same = target.raw_host == origin.raw_host or (
        f"{target.raw_host}".endswith(f".{origin.raw_host}")
    )
    if same and not (origin.scheme == "https" and target.scheme == "http"):
        return headers
    kept = headers.copy()
    for name in ("Authorization", "Cookie"):
        kept.popall(name, None)
    return kept
