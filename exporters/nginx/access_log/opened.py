"""Open every source of the access logs, and show what was counted.

One address serves several access logs when their tags differ; what is merged into one
family, because the names are the same, is merged by the toolkit (``gathering``).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import product

from exporters.nginx.access_log.access_log import AccessLog
from exporters.nginx.access_log.plan import Plan
from exporters.nginx.access_log.showing import Showing
from exporters.nginx.access_log.sources.datagrams import Datagrams
from exporters.nginx.access_log.sources.files import follow_files
from exporters.nginx.access_log.sources.intake import Intake, Line, fan_out, printing
from exporters.nginx.access_log.sources.listen import Listen
from exporters.nginx.access_log.sources.sockets import open_udp
from exporters.nginx.access_log.sources.streams import open_tcp
from exporters.nginx.access_log.sources.unix_socket import UnixSocket
from exporters.toolkit.metric import Metric


class AccessLogs:
    """What came in from every source."""

    def __init__(self, logs: Iterable[AccessLog], showing: Showing) -> None:
        self._logs = tuple(logs)
        self._showing = showing

    async def collect(self, scrape_timeout_seconds: float | None) -> list[Metric]:
        """Return the families of every access log, and of where the lines come from.

        A socket file that somebody has removed is made again.
        """
        self._showing.look_after()
        families = [
            family
            for log in self._logs
            for family in await log.collect(scrape_timeout_seconds)
        ]
        return families + self._showing.families()


@asynccontextmanager
async def open_access_logs(
    plans: Iterable[Plan], socket_mode: int
) -> AsyncIterator[AccessLogs]:
    """Take in the lines that *plans* name until the end of the context.

    At the end what waits in sockets and files is counted, and socket files, which had
    the permissions *socket_mode*, are removed. Raises StartError.
    """
    logs = [(plan, AccessLog(plan.settings)) for plan in plans]
    showing = Showing()
    async with AsyncExitStack() as stack:
        for plan, log in logs:
            if plan.files:
                follower = await stack.enter_async_context(
                    follow_files(plan.files, _line(plan, log))
                )
                showing.followers[plan.settings.name] = follower
        for listen, tags in _routes(logs).items():
            intake = Intake(str(listen), tags)
            showing.intakes[str(listen)] = intake
            await _open(stack, listen, intake, socket_mode, showing)
        stack.callback(showing.sockets.clear)
        yield AccessLogs((log for _, log in logs), showing)


def _routes(logs: Iterable[tuple[Plan, AccessLog]]) -> dict[Listen, dict[str, Line]]:
    """Return who takes the lines that come to each address, by tag."""
    takers: dict[Listen, dict[str, list[Line]]] = {}
    for plan, log in logs:
        for listen, tag in product(plan.listens, plan.tags):
            tags = takers.setdefault(listen, {})
            tags.setdefault(tag, []).append(_line(plan, log))
    return {
        listen: {tag: fan_out(lines) for tag, lines in tags.items()}
        for listen, tags in takers.items()
    }


def _line(plan: Plan, log: AccessLog) -> Line:
    return printing(log.line) if plan.print_log else log.line


async def _open(
    stack: AsyncExitStack, listen: Listen, intake: Intake, mode: int, showing: Showing
) -> None:
    if listen.scheme == "tcp":
        await stack.enter_async_context(open_tcp(listen, intake.take))
        return
    if listen.scheme == "unix":
        unix = UnixSocket(listen, mode)
        datagrams = Datagrams(unix.open(), intake.take)
        unix.look_at_queue()
        stack.callback(unix.remove)
        showing.sockets.append((unix, datagrams))
    else:
        datagrams = Datagrams(await open_udp(listen), intake.take)
        showing.lossy[str(listen)] = datagrams
    stack.callback(datagrams.close)
    datagrams.start()
