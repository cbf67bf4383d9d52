"""A page of Loki that tells about itself, got from beside the push path."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

import aiohttp
from yarl import URL


MAX_PAGE_BYTES: Final = 4 << 20
"""``/config`` has 75 KB; ``/runtime_config`` 10 KB more for each tenant it names."""

PUSH_PATHS: Final = ("/loki/api/v1/push", "/api/prom/push")


@dataclass(frozen=True, slots=True)
class Page:
    """The whole text of a page, and the server's time when it was sent."""

    text: str
    date_ns: int | None = None


def page_url(push: URL, name: str) -> URL | None:
    """Return the address of the page *name* of the Loki that takes *push*.

    None: its path is no Loki's, and where else the pages are is not known.
    """
    for path in PUSH_PATHS:
        if push.raw_path.endswith(path):
            base = push.raw_path.removesuffix(path)
            found = push.with_path(f"{base}/{name}", encoded=True)
            query = push.raw_query_string  # a key of a gateway, perhaps
            return URL(f"{found}?{query}", encoded=True) if query else found
    return None


async def read_page(response: aiohttp.ClientResponse) -> Page | None:
    """Return what *response* holds; None when it is no page, or too large a one."""
    if response.status != 200:
        return None
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_chunked(1 << 16):
        chunks.append(chunk)
        size += len(chunk)
        if size > MAX_PAGE_BYTES:
            response.close()
            return None
    text = b"".join(chunks).decode("utf-8", "replace")
    return Page(text, parse_date(response.headers.get("Date")))


def parse_date(value: str | None) -> int | None:
    """Return the nanoseconds since 1970 of a Date header, None when it is none."""
    if value is None:
        return None
    try:
        date = parsedate_to_datetime(value)
        return int(date.replace(tzinfo=date.tzinfo or UTC).timestamp()) * 1_000_000_000
    except (ValueError, OverflowError):
        return None
