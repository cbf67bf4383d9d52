"""The command line of the nginx exporter: flags in, a running exporter out."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from functools import partial

from exporters.nginx import app, fpm, legacy, probe
from exporters.nginx.access_log import flags as access_log
from exporters.nginx.flags import (
    CONFIG_FILE,
    CONST_LABEL,
    LISTEN_ADDRESS,
    NGINX_PLUS,
    SCRAPE_URI,
    SYSTEMD_SOCKET,
    TELEMETRY_PATH,
    TIMEOUT,
)
from exporters.nginx.http import headers, tls
from exporters.nginx.http.proxy_protocol import PROXY_PROTOCOL
from exporters.toolkit import flags, lifecycle, logs, version, web
from exporters.toolkit.flags import Program, Values


log = logging.getLogger(__name__)

# In the order of upstream's help, then ours, then what is in no help.
PROGRAM = Program(
    "nginx-prometheus-exporter",
    "Export metrics of NGINX and NGINX Plus to Prometheus. Flags of 0.x are accepted, "
    "too. `healthcheck` in place of the flags asks a running exporter how it is.",
    (
        SYSTEMD_SOCKET,
        LISTEN_ADDRESS,
        CONFIG_FILE,
        TELEMETRY_PATH,
        NGINX_PLUS,
        SCRAPE_URI,
        *tls.FLAGS,
        PROXY_PROTOCOL,
        TIMEOUT,
        CONST_LABEL,
        *logs.LOG_FLAGS,
        web.ENABLE_OPENMETRICS,
        *headers.FLAGS,
        *probe.FLAGS,
        *fpm.FLAGS,
        *access_log.FLAGS,
        *legacy.FLAGS,
    ),
    version_name="nginx_exporter",
)


def main() -> int:
    """Run the exporter with the process' arguments; return its exit code."""
    given = sys.argv[1:]
    argv = tuple(legacy.modernized(given, PROGRAM.flags))
    return flags.main(PROGRAM, argv, os.environ, partial(run, given))


def run(argv: Sequence[str], values: Values) -> int:
    """Run the exporter until it is told to stop; return its exit code.

    *argv* is the command line as it was typed, from which *values* came.
    """
    logs.setup(values[logs.LOG_LEVEL], values[logs.LOG_FORMAT])
    log.info(PROGRAM.name, extra={"fields": {"version": version.info()}})
    log.info(
        "build context", extra={"fields": {"build_context": version.build_context()}}
    )
    legacy.warn(argv, PROGRAM.flags, values)
    return lifecycle.run(partial(app.serve, values))
