"""The program ``node_exporter``: its flags, its start, its stop (node_exporter.go)."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence

from exporters.node.paths import Paths
from exporters.node.registry import CollectorSpec, Context, Registry, discover, flags
from exporters.node.scrape import LONGEST_TIMEOUT_SECONDS, Scraper
from exporters.toolkit import lifecycle, logs, version, web
from exporters.toolkit.errors import StartError
from exporters.toolkit.flags import (
    Program,
    Values,
    integer,
    main as toolkit_main,
    string,
)


log = logging.getLogger(__name__)

PROCFS = string("path.procfs", "procfs mountpoint.", default="/proc")
SYSFS = string("path.sysfs", "sysfs mountpoint.", default="/sys")
ROOTFS = string("path.rootfs", "rootfs mountpoint.", default="/")
UDEV_DATA = string("path.udev.data", "udev data path.", default="/run/udev/data")
GOMAXPROCS = integer(
    "runtime.gomaxprocs",
    "Accepted for compatibility and ignored: there is no Go here. Collectors run in"
    " one thread at a time (GOMAXPROCS)",
    default=1,
    env="GOMAXPROCS",
)
TELEMETRY_PATH = web.telemetry_path()
LISTEN_ADDRESS = web.listen_address(":9100")

_ROOT_WARNING = (
    "Node Exporter is running as root user. This exporter is designed to run as"
    " unprivileged user, root is not required."
)
# Files that Docker, Podman, and systemd-nspawn or LXC leave in their containers.
_CONTAINER_MARKS = (
    "/.dockerenv",
    "/run/.containerenv",
    "/run/host/container-manager",
)


def program(specs: Sequence[CollectorSpec]) -> Program:
    """Return the command line of node_exporter with the collectors of *specs*."""
    return Program(
        "node_exporter",
        "",
        (
            PROCFS,
            SYSFS,
            ROOTFS,
            UDEV_DATA,
            *flags(specs),
            TELEMETRY_PATH,
            web.DISABLE_EXPORTER_METRICS,
            web.MAX_REQUESTS,
            GOMAXPROCS,
            LISTEN_ADDRESS,
            *logs.LOG_FLAGS,
        ),
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run node_exporter with *argv* (else the process') and return its exit code."""
    specs = discover()
    arguments = sys.argv[1:] if argv is None else argv
    return toolkit_main(
        program(specs), arguments, os.environ, lambda values: _run(specs, values)
    )


def paths_of(values: Values) -> Paths:
    """Return the host's mount points; raises StartError for one that is not there."""
    for flag in (PROCFS, SYSFS):
        if not os.path.isdir(values[flag]):
            raise StartError(
                f"--{flag.name}: expected a directory, got {values[flag]!r}"
            )
    return Paths(values[PROCFS], values[SYSFS], values[ROOTFS], values[UDEV_DATA])


def runs_in_container(
    environ: Mapping[str, str], exists: Callable[[str], bool] = os.path.exists
) -> bool:
    """Tell whether a container runtime started this process."""
    if environ.get("container") or environ.get("KUBERNETES_SERVICE_HOST"):
        return True
    return any(exists(mark) for mark in _CONTAINER_MARKS)


def _run(specs: Sequence[CollectorSpec], values: Values) -> int:
    logs.setup(values[logs.LOG_LEVEL], values[logs.LOG_FORMAT])

    async def serve(stop: asyncio.Event) -> None:
        await _serve(specs, values, stop)

    return lifecycle.run(serve)


async def _serve(
    specs: Sequence[CollectorSpec], values: Values, stop: asyncio.Event
) -> None:
    _log_start(values)
    registry = Registry(specs, Context(paths_of(values), values))
    registry.log_enabled()
    scraper = Scraper(registry)
    addresses = values[LISTEN_ADDRESS]
    app = web.exporter_app(
        name="node_exporter",
        title="Node Exporter",
        description="Prometheus Node Exporter",
        gather=scraper.gather,
        telemetry_path=values[TELEMETRY_PATH],
        max_requests=values[web.MAX_REQUESTS],
        exporter_metrics=not values[web.DISABLE_EXPORTER_METRICS],
        gather_seconds=LONGEST_TIMEOUT_SECONDS,
    )
    try:
        await web.serve(app, addresses, stop)
    finally:
        scraper.close()


def _log_start(values: Values) -> None:
    log.info("Starting node_exporter", extra={"fields": {"version": version.info()}})
    log.info(
        "Build context", extra={"fields": {"build_context": version.build_context()}}
    )
    if os.geteuid() == 0:
        log.warning("%s", _ROOT_WARNING)
    if values[ROOTFS] == "/" and runs_in_container(os.environ):
        log.warning(
            "Running in a container without --path.rootfs: file systems and the OS are"
            " the container's, not the host's. Mount the host's / read-only, for"
            " example at /host, and give --path.rootfs=/host"
        )
