"""What the command does, verb by verb, over an open client."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

from . import ask
from .client import LogClient
from .errors import LogsError, UsageError
from .flags import Options
from .follow import Follower
from .lines import Line
from .query import Pager, Window
from .screen import Screen
from .seen import Seen
from .selector import NAME_LABELS, is_metric, parse_bare, unknown_name
from .table import parse_values, rows
from .times import parse_span, parse_time


async def run(options: Options, screen: Screen) -> None:
    """Do what *options* ask for.

    Raises:
        LogsError: it cannot be done.
    """
    window = window_of(options, screen, time.time_ns())
    async with LogClient(options.connection) as client:
        if options.list_labels is not None:
            names = await ask.labels(client, window, options.list_labels)
            screen.text("".join(f"{name}\n" for name in names))
            return
        query = await resolve(client, options.query, window)
        if is_metric(query):
            await _values(client, query, options, window, screen)
        elif options.follow:
            await _follow(client, query, options, window, screen)
        else:
            await _show(client, query, options, window, screen)


def window_of(options: Options, screen: Screen, now_ns: int) -> Window:
    """Return the time that is asked about.

    Raises:
        UsageError: a time is none, or the end is before the start.
    """
    zone = screen.style.zone
    if options.follow and options.end:
        raise UsageError("--to ends what --follow does not end: leave one out")
    end = parse_time(options.end, "--to", now_ns, zone) if options.end else now_ns + 1
    if options.start:
        start = parse_time(options.start, "--from", now_ns, zone)
    else:
        start = max(0, end - parse_span(options.since, "--since"))
    if start >= end:
        raise UsageError("--from is not before --to")
    return Window(start, end)


async def resolve(client: LogClient, query: str, window: Window) -> str:
    """Return the LogQL for *query*: a bare word is looked up among the labels.

    Raises:
        LogsError: no label has that value.
    """
    bare = parse_bare(query)
    if bare is None:
        return query
    names = set(await ask.labels(client, window))
    known: dict[str, None] = {}
    for label in NAME_LABELS:
        if label in names:
            values = await ask.labels(client, window, label)
            if bare.name in values:
                return bare.query(label)
            known.update(dict.fromkeys(values))
    raise LogsError(
        f"nothing is called {bare.name!r}", unknown_name(bare.name, list(known))
    )


async def _show(
    client: LogClient, query: str, options: Options, window: Window, screen: Screen
) -> None:
    counted = _Stats()
    # All of them can be read, and printed, in the order they are wanted in.
    forward = options.forward or not (options.limit or options.newest_first)
    pager = Pager(
        window, limit=options.limit or None, forward=forward, batch=options.batch
    )
    pages = ask.pages(client, query, pager, counted)
    if forward is options.newest_first:
        pages = _whole(pages, forward=forward)
    found = False
    async for page in pages:
        found = True
        screen.lines(page, backward=options.newest_first)
    _tell_missing(pager, screen)
    if not found:
        screen.tell("no lines in this time; --since 24h looks further back")
    if options.stats:
        screen.tell(str(counted))


async def _whole(
    pages: AsyncIterator[list[Line]], *, forward: bool
) -> AsyncIterator[list[Line]]:
    """Yield all of *pages* as one, oldest first: they come in the other order."""
    held = [page async for page in pages]
    if held:
        yield [line for page in (held if forward else held[::-1]) for line in page]


def _tell_missing(pager: Pager, screen: Screen) -> None:
    for at in pager.hidden_at:
        screen.tell(
            f"more lines have the time {at} than the server gives; some are missing"
        )


async def _follow(
    client: LogClient, query: str, options: Options, window: Window, screen: Screen
) -> None:
    seen = await _history(client, query, options, window, screen)
    follower = Follower(
        client,
        query,
        seen,
        screen.tell,
        delay_for=options.delay_for,
        batch=options.batch,
    )
    async for lines in follower.lines():
        screen.lines(lines)


async def _history(
    client: LogClient, query: str, options: Options, window: Window, screen: Screen
) -> Seen:
    """Print the lines before now and return what the follower has to know of them."""
    if not options.limit:
        pager = Pager(window, limit=None, forward=True, batch=options.batch)
        seen = Seen(window.start_ns)
        async for page in ask.pages(client, query, pager):
            screen.lines(seen.fresh(page, window.end_ns))
        return seen
    # More than are shown are known: one that is stored late, but is older than those
    # shown, is new.
    known = max(options.limit, options.batch)
    pager = Pager(window, limit=known, forward=False, batch=options.batch)
    pages = _whole(ask.pages(client, query, pager), forward=False)
    lines = [line async for page in pages for line in page]
    full = len(lines) == known
    seen = Seen(lines[0].timestamp_ns + 1 if full else window.start_ns)
    seen.fresh(lines, window.end_ns)
    if shown := lines[-options.limit :]:
        screen.lines(shown)
    return seen


async def _values(
    client: LogClient, query: str, options: Options, window: Window, screen: Screen
) -> None:
    if options.follow:
        raise UsageError("a metric query cannot be followed")
    data = await ask.instant(client, query, window.end_ns - 1)
    values = parse_values(data)
    screen.text("".join(rows(values, options.output)))
    if not values:
        screen.tell("no values")


class _Stats:
    """Adds up what the server says of its pages."""

    def __init__(self) -> None:
        self._lines = self._bytes = 0
        self._seconds = 0.0

    def __call__(self, summary: Mapping[str, Any]) -> None:
        self._lines += int(summary.get("totalLinesProcessed", 0))
        self._bytes += int(summary.get("totalBytesProcessed", 0))
        self._seconds += float(summary.get("execTime", 0))

    def __str__(self) -> str:
        return (
            f"the server read {self._lines} lines, {self._bytes} bytes "
            f"in {self._seconds:.3f} s"
        )
