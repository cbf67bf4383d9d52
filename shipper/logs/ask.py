"""Questions to a server, in the words of this program: pages, labels, values."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Final
from urllib.parse import quote

from .client import LogClient
from .errors import LogsError, Refused
from .lines import NOT_LOKI, Line, parse_streams
from .query import Pager, Window


Stats = Callable[[Mapping[str, Any]], None]
_LIMIT: Final = re.compile(r"limit > max_entries_limit\w* \(\d+ > (\d+)\)")


async def pages(
    client: LogClient, query: str, pager: Pager, stats: Stats | None = None
) -> AsyncIterator[list[Line]]:
    """Yield the pages of *query* as *pager* asks for them, each oldest first.

    Raises:
        LogsError: as `LogClient.data`.
    """
    while (ask := pager.ask()) is not None:
        try:
            data = await client.data("query_range", ask.params(query))
        except Refused as refusal:
            found = _LIMIT.search(refusal.text)
            if found and pager.refused(int(found[1])):
                continue
            raise
        if stats:
            stats(_part(data, "stats", dict).get("summary", {}))
        lines = parse_streams(_part(data, "result", list), forward=ask.forward)
        if shown := pager.take(lines):
            yield shown


async def instant(client: LogClient, query: str, time_ns: int) -> Mapping[str, Any]:
    """Return the data of the metric *query* at *time_ns*. Raises LogsError."""
    data = await client.data("query", {"query": query, "time": str(time_ns)})
    if not isinstance(data, dict):
        raise LogsError(NOT_LOKI)
    return data


async def labels(client: LogClient, window: Window, name: str = "") -> list[str]:
    """Return the names of labels, or the values of *name*. Raises LogsError."""
    path = f"label/{quote(name, safe='')}/values" if name else "labels"
    bounds = {"start": str(window.start_ns), "end": str(window.end_ns)}
    found = await client.data(path, bounds)
    return sorted(map(str, found)) if isinstance(found, list) else []


def _part(data: Any, name: str, kind: type[Any]) -> Any:
    part = data.get(name, kind()) if isinstance(data, dict) else None
    if not isinstance(part, kind):
        raise LogsError(f"{NOT_LOKI}: its {name} is missing")
    return part
