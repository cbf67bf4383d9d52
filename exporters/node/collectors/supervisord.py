"""Processes under supervisord, by XML-RPC (node_exporter collector/supervisord.go)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, NamedTuple

from exporters.node.deadline import patience
from exporters.node.errno_text import error_text
from exporters.node.families import Families
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.flags import string
from exporters.toolkit.metric import Metric


log = logging.getLogger(__name__)

URL = string(
    "collector.supervisord.url",
    "XML RPC endpoint.",
    default="http://localhost:9001/RPC2",
    env="SUPERVISORD_URL",
)

_METHOD = "supervisor.getAllProcessInfo"
_TIMEOUT_SECONDS = 10.0
# supervisord's ProcessStates: STARTING, RUNNING and STOPPING have a process.
_RUNNING_STATES = frozenset({10, 20, 40})
_INT64 = 2**63


class Process(NamedTuple):
    """What supervisord says of a process; *start* is in seconds since 1970."""

    name: str
    group: str
    state: int
    exit_status: int
    start: int


def create(context: Context) -> Collect:
    """Return the collector."""
    # expat and urllib are only for who has this collector.
    from exporters.node.services import xmlrpc  # noqa: PLC0415

    url = context.values[URL]
    log.warning(
        "This collector is deprecated and will be removed in the next major version"
        " release."
    )

    def collect() -> Iterator[Metric]:
        seconds = patience(_TIMEOUT_SECONDS)
        try:
            processes = parse(xmlrpc.call(url, _METHOD, seconds))
        except OSError as error:
            reason = f"unable to call supervisord: {error_text(error)}"
            raise type(error)(reason) from error
        except ValueError as error:
            raise ValueError(f"unable to call supervisord: {error}") from error
        families = Families()
        for process in processes:
            add_process(families, process)
        yield from families

    return collect


def parse(answer: Any) -> list[Process]:
    """Return the processes in what getAllProcessInfo gave. Raises ValueError."""
    match answer:
        case [*rows]:
            return [_parse_process(row) for row in rows]
    raise ValueError(f"{_METHOD}: expected an array, got {answer!r:.80}")


def _parse_process(row: Any) -> Process:
    match row:
        case {
            "name": str(name),
            "group": str(group),
            "state": int(state),
            "exitstatus": int(status),
            "start": int(start),
        } if all(-_INT64 <= number < _INT64 for number in (state, status, start)):
            return Process(name, group, state, status, start)
    raise ValueError(f"{_METHOD}: expected a process, got {row!r:.80}")


def add_process(families: Families, process: Process) -> None:
    """Add the state of *process*, and since when it runs if it does."""
    labels = {"name": process.name, "group": process.group}
    runs = process.state in _RUNNING_STATES
    rows = (
        ("state", "Process State", process.state),
        ("exit_status", "Process Exit Status", process.exit_status),
        ("up", "Process Up", runs),
    )
    for name, text, value in rows:
        families.gauge(f"node_supervisord_{name}", text, float(value), labels)
    if runs:
        families.counter(
            "node_supervisord_start_time_seconds",
            "Process start time",
            float(process.start),
            labels,
        )


COLLECTOR = CollectorSpec("supervisord", create, default_enabled=False, flags=(URL,))
