"""A page of Loki that tells about itself, got from beside the push path."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import Final

from shipper.http.faults import DamagedError
from shipper.http.reply import Reply
from shipper.http.url import Url


MAX_PAGE_BYTES: Final = 4 << 20
"""``/config`` has 75 KB; ``/runtime_config`` 10 KB more for each tenant it names."""

PUSH_PATHS: Final = ("/loki/api/v1/push", "/api/prom/push")


@dataclass(frozen=True, slots=True)
class Page:
    """The whole text of a page, and the server's time when it was sent."""

    text: str
    date_ns: int | None = None


def page_url(push: Url, name: str) -> Url | None:
    """Return the address of the page *name* of the Loki that takes *push*.

    None: its path is no Loki's, and where else the pages are is not known.
    """
    for path in PUSH_PATHS:
        if push.path.endswith(path):
            base = push.path.removesuffix(path)
            # The query may be a key of a gateway.
            return push._replace(target=f"{base}/{name}{push.query}")
    return None


def read_page(reply: Reply) -> Page | None:
    """Return what *reply* holds; None when it is no page, or too large a one."""
    if reply.status != 200 or len(reply.body) > MAX_PAGE_BYTES:
        return None
    try:
        return Page(reply.text(), parse_date(reply.header(b"date")))
    except DamagedError:
        return None


def parse_date(value: str | None) -> int | None:
    """Return the nanoseconds since 1970 of a Date header, None when it is none."""
    if value is None:
        return None
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - 1 MiB of mail

    try:
        date = parsedate_to_datetime(value)
        return int(date.replace(tzinfo=date.tzinfo or UTC).timestamp()) * 1_000_000_000
    except (ValueError, OverflowError):
        return None
