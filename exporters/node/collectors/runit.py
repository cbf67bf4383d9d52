"""Services of the runit supervisor (node_exporter collector/runit.go, go-runit).

The file ``supervise/status`` is written by runsv: runit's ``src/runsv.c``,
update_status().
"""

from __future__ import annotations

import logging
import os
import struct
from collections.abc import Iterator
from typing import NamedTuple

from exporters.node import procfs
from exporters.node.families import Families
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.flags import string
from exporters.toolkit.metric import Metric


log = logging.getLogger(__name__)

SERVICE_DIRECTORY = string(
    "collector.runit.servicedir",
    "Path to runit service directory.",
    default="/etc/service",
)

# TAI64N (seconds, nanoseconds; big endian), pid (little endian), paused?, wanted
# ("u", "d" or 0), was TERM sent?, state (0 down, 1 run, 2 finish).
_STATUS = struct.Struct("> q 4x 4x x c x B")
_TAI_OF_1970 = 4611686018427387914  # 2**62 and the ten seconds TAI was ahead by then
_WANTED = {b"u": 1, b"d": 0}


class Status(NamedTuple):
    """What runsv says of a service; *changed_at* is in seconds since 1970."""

    changed_at: int
    wanted: int
    state: int


def parse(data: bytes) -> Status:
    """Return what is in a ``supervise/status`` file. Raises ValueError."""
    if len(data) != _STATUS.size:
        raise ValueError(
            f"supervise/status: expected {_STATUS.size} bytes, got {len(data)}"
        )
    tai, wanted, state = _STATUS.unpack(data)
    # Neither up nor down wanted ("once") counts as down, as upstream has it.
    return Status(tai - _TAI_OF_1970, _WANTED.get(wanted, 0), state)


def create(context: Context) -> Collect:
    """Return the collector; the directory is listed at each scrape."""
    directory = context.values[SERVICE_DIRECTORY] or SERVICE_DIRECTORY.default
    log.warning(
        "This collector is deprecated and will be removed in the next major version"
        " release."
    )

    def collect() -> Iterator[Metric]:
        families = Families()
        for name in list_services(directory):
            path = f"{directory}/{name}/supervise"
            try:
                status = parse(procfs.read(f"{path}/status"))
            except (OSError, ValueError) as error:
                fields = {"service": name, "err": error}
                log.debug("Couldn't get status", extra={"fields": fields})
                continue
            add_service(
                families, name, status, normally_up=not os.path.exists(f"{path}/down")
            )
        yield from families

    return collect


def list_services(directory: str) -> list[str]:
    """Return the folders, and links to such, in *directory*. Raises OSError."""
    with os.scandir(directory) as entries:
        return sorted(
            entry.name
            for entry in entries
            if entry.is_symlink() or entry.is_dir(follow_symlinks=False)
        )


def add_service(
    families: Families, name: str, status: Status, *, normally_up: bool
) -> None:
    """Add the state of the service called *name*."""
    labels = {"supervisor": "runit", "service": procfs.text(os.fsencode(name))}
    rows = (
        ("state", "State of runit service.", status.state),
        ("desired_state", "Desired state of runit service.", status.wanted),
        (
            "state_last_change_timestamp_seconds",
            "Unix timestamp of the last runit service state change.",
            status.changed_at,
        ),
        ("normal_state", "Normal state of runit service.", normally_up),
    )
    for metric, text, value in rows:
        families.gauge(f"node_service_{metric}", text, float(value), labels)


COLLECTOR = CollectorSpec(
    "runit", create, default_enabled=False, flags=(SERVICE_DIRECTORY,)
)
