"""Where a redirected push goes (Go's net/http Client, RFC 9110 §15.4)."""

from __future__ import annotations

from typing import Final

from shipper.http.fields import Fields
from shipper.http.reply import Reply
from shipper.http.url import Url, joined

from .outcome import Answer


MAX_REDIRECTS: Final = 10

REPEATED: Final = frozenset({307, 308})
"""Statuses that repeat the POST with its body.

After 301, 302 and 303 Go sends a GET without one. Nothing is stored by that, whatever
the answer to it is, so here they are not followed.
"""

_REDIRECTS: Final = REPEATED | {301, 302, 303}


def moved_to(reply: Reply, asked: Url) -> Url | None:
    """Return where *reply* of *asked* sends the client, None when it is no redirect."""
    location = reply.header(b"location")
    if reply.status not in _REDIRECTS or not location:
        return None
    try:
        return joined(asked, location)
    except ValueError:
        return None


def refusal_to_follow(status: int, target: Url) -> Answer:
    """Return the answer of a redirect that drops the body, for a person to read."""
    shown = target._replace(target=target.path)  # a query may be a secret
    reason = f"redirected to {shown}, where a POST does not follow: is that the url?"
    return Answer(status, reason)


def carried(headers: Fields, origin: Url, target: Url) -> Fields:
    """Return *headers* for *target*: no login for other hosts, or in plain text."""
    same = target.host == origin.host or target.host.endswith(f".{origin.host}")
    if same and not (origin.scheme == "https" and target.scheme == "http"):
        return headers
    kept = headers.copy()
    for name in ("Authorization", "Cookie"):
        kept.discard(name)
    return kept
