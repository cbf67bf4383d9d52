"""The program ``node_exporter``: its flags, its start, its stop (node_exporter.go)."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
from collections.abc import Sequence

from exporters.node import backend, container, keeper, profiles
from exporters.node.catalogue import specs_for
from exporters.node.paths import Paths
from exporters.node.plugins import PLUGIN, with_plugins
from exporters.node.registry import CollectorSpec, Context, Registry, flags
from exporters.node.scrape import LONGEST_TIMEOUT_SECONDS, Scraper
from exporters.toolkit import lifecycle, logs, version, web
from exporters.toolkit.errors import StartError
from exporters.toolkit.flags import (
    Program,
    Values,
    boolean,
    integer,
    main as toolkit_main,
    string,
)


log = logging.getLogger(__name__)

NAME = "node_exporter"
PROCFS = string("path.procfs", "procfs mountpoint.", default="/proc")
NET = string(
    "path.net",
    "Where the files of procfs' net are: /host/proc/1/net is the host's network for a "
    "container that has its own. By default net below --path.procfs.",
)
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
CHECK = boolean(
    "check",
    "Say what is wrong with this installation, in sentences on stdout, and exit: with"
    " 0 if nothing is, else with 1. Takes the flags that the exporter is started with.",
)
TELEMETRY_PATH = web.telemetry_path()
SYSTEMD_SOCKET = web.systemd_socket()
LISTEN_ADDRESS = web.listen_address(":9100")
CONFIG_FILE = web.config_file()

_OBJECTS_BETWEEN_COLLECTIONS = 10_000
_ROOT_WARNING = (
    "Node Exporter is running as root user. This exporter is designed to run as"
    " unprivileged user, root is not required."
)


def program(specs: Sequence[CollectorSpec]) -> Program:
    """Return the command line of node_exporter with the collectors of *specs*."""
    return Program(
        NAME,
        "",
        (
            PROCFS,
            NET,
            SYSFS,
            ROOTFS,
            UDEV_DATA,
            *flags(specs),
            profiles.PROFILE,
            PLUGIN,
            backend.BACKEND,
            TELEMETRY_PATH,
            web.DISABLE_EXPORTER_METRICS,
            web.MAX_REQUESTS,
            GOMAXPROCS,
            SYSTEMD_SOCKET,
            LISTEN_ADDRESS,
            CONFIG_FILE,
            web.ENABLE_OPENMETRICS,
            CHECK,
            *logs.LOG_FLAGS,
        ),
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run node_exporter with *argv* (else the process') and return its exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    try:
        is_linux = backend.chosen(arguments) == backend.LINUX
        built_in = specs_for(arguments) if is_linux else backend.portable()
        specs = with_plugins(built_in, arguments)
    except StartError as error:
        sys.stderr.write(f"{NAME}: error: {error}\n")
        return 1
    parser = program(specs)

    def run(values: Values) -> int:
        if more := tuple(profiles.arguments(values, parser.flags)):
            values = parser.parse((*arguments, *more), os.environ)
        return _run(specs, values)

    return toolkit_main(parser, arguments, os.environ, run)


def paths_of(values: Values) -> Paths:
    """Return the host's mount points; raises StartError for one that is not there."""
    needed = (PROCFS, SYSFS) if values[backend.BACKEND] == backend.LINUX else ()
    for flag in needed:
        if not os.path.isdir(values[flag]):
            raise StartError(
                f"--{flag.name}: expected a directory, got {values[flag]!r}"
            )
    return Paths(
        values[PROCFS], values[SYSFS], values[ROOTFS], values[UDEV_DATA], values[NET]
    )


def _run(specs: Sequence[CollectorSpec], values: Values) -> int:
    logs.setup(values[logs.LOG_LEVEL], values[logs.LOG_FORMAT])
    if values[CHECK]:
        return _check(specs, values)

    async def serve(stop: asyncio.Event) -> None:
        await _serve(specs, values, stop)

    return lifecycle.run(serve)


def _check(specs: Sequence[CollectorSpec], values: Values) -> int:
    # Here and not above: who serves does not need it.
    from exporters.node.check.run import run  # noqa: PLC0415
    from exporters.node.check.serving import Serving  # noqa: PLC0415

    try:
        context = Context(paths_of(values), values)
    except StartError as error:
        sys.stdout.write(f"wrong: The exporter does not start: {error}.\n")
        return 1
    addresses = values[LISTEN_ADDRESS]
    serving = Serving(addresses, values[CONFIG_FILE], values[SYSTEMD_SOCKET])
    return run(specs, context, serving, values[backend.BACKEND])


async def _serve(
    specs: Sequence[CollectorSpec], values: Values, stop: asyncio.Event
) -> None:
    _log_start(values)
    keeper.raise_limit()
    registry = Registry(specs, Context(paths_of(values), values))
    registry.log_enabled()
    scraper = Scraper(registry)
    gc.freeze()  # what there is by now stays: a full collection need not look at it
    # A scrape makes thousands of objects that all go by themselves: looking through
    # them at every 700th took 0.5 ms of it.
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    gc.enable()
    addresses = values[LISTEN_ADDRESS]
    app = web.exporter_app(
        name=NAME,
        title="Node Exporter",
        description="Prometheus Node Exporter",
        gather=scraper.gather,
        telemetry_path=values[TELEMETRY_PATH],
        max_requests=values[web.MAX_REQUESTS],
        exporter_metrics=not values[web.DISABLE_EXPORTER_METRICS],
        gather_seconds=LONGEST_TIMEOUT_SECONDS,
        openmetrics=values[web.ENABLE_OPENMETRICS],
        through=scraper.through,
    )
    try:
        await web.serve(
            app,
            addresses,
            stop,
            config_file=values[CONFIG_FILE],
            systemd_socket=values[SYSTEMD_SOCKET],
        )
    finally:
        scraper.close()


def _log_start(values: Values) -> None:
    log.info("Starting node_exporter", extra={"fields": {"version": version.info()}})
    log.info(
        "Build context", extra={"fields": {"build_context": version.build_context()}}
    )
    if hasattr(os, "geteuid") and os.geteuid() == 0:  # Windows has no such number
        log.warning("%s", _ROOT_WARNING)
    if values[ROOTFS] == "/" and container.is_inside(os.environ):
        log.warning(
            "Running in a container without --path.rootfs: file systems and the OS are"
            " the container's, not the host's. Mount the host's / read-only, for"
            " example at /host, and give --path.rootfs=/host"
        )
