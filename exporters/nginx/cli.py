"""The command line of the nginx exporter: flags in, a running exporter out."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from functools import partial
from ssl import SSLContext

from prometheus_client.core import Metric

from exporters.nginx.client import Client, Network
from exporters.nginx.collector import Collector
from exporters.nginx.metrics import const_labels, split_const_labels
from exporters.nginx.patience import CEILING_SECONDS
from exporters.nginx.resolver import Resolver
from exporters.nginx.targets import parse_targets
from exporters.nginx.tls import client_context
from exporters.toolkit import flags, lifecycle, logs, version, web
from exporters.toolkit.duration import format_go_duration, parse_go_duration
from exporters.toolkit.flags import Flag, Program, Values


log = logging.getLogger(__name__)

# Names are looked up seldom: a connection is kept from one scrape to the next.
RESOLVER_THREADS = 8


def parse_timeout(text: str) -> float:
    """Return the Go duration *text* in seconds; raise ValueError below zero.

    The texts are those of upstream's parsePositiveDuration, whose value then never
    arrives (createPositiveDurationFlag copies it): there the flag has no effect.
    """
    try:
        seconds = parse_go_duration(text)
    except ValueError as error:
        raise ValueError(f'failed to parse duration "{text}": {error}') from error
    if seconds < 0:
        raise ValueError(
            f"negative duration {format_go_duration(seconds)} is not valid"
        )
    return seconds


LISTEN_ADDRESS = web.listen_address(":9113", env="LISTEN_ADDRESS")
SYSTEMD_SOCKET = web.systemd_socket(env="SYSTEMD_SOCKET")
CONFIG_FILE = web.config_file(env="CONFIG_FILE")
TELEMETRY_PATH = web.telemetry_path(env="TELEMETRY_PATH")
SCRAPE_URI = flags.strings(
    "nginx.scrape-uri",
    "Where nginx serves stub_status: http://host:port/path, https://… or "
    "unix:/socket:/path. Repeatable, or a list separated by commas or newlines; "
    "with several, each metric has the label addr.",
    default=("http://127.0.0.1:8080/stub_status",),
    env="SCRAPE_URI",
)
SSL_VERIFY = flags.boolean(
    "nginx.ssl-verify", "Verify the certificate of nginx.", env="SSL_VERIFY"
)
SSL_CA_CERT = flags.string(
    "nginx.ssl-ca-cert",
    "PEM file of the authorities to verify nginx with.",
    env="SSL_CA_CERT",
)
SSL_CLIENT_CERT = flags.string(
    "nginx.ssl-client-cert",
    "PEM file of the certificate to show to nginx.",
    env="SSL_CLIENT_CERT",
)
SSL_CLIENT_KEY = flags.string(
    "nginx.ssl-client-key",
    "PEM file of the key of --nginx.ssl-client-cert.",
    env="SSL_CLIENT_KEY",
)
TIMEOUT = Flag(
    "nginx.timeout",
    "How long one nginx may take to answer. A scraper that announces less patience "
    "is answered in time.",
    5.0,
    parse_timeout,
    env="TIMEOUT",
    placeholder="5s",
)
CONST_LABEL: Flag[tuple[tuple[tuple[str, str], ...], ...]] = Flag(
    "prometheus.const-label",
    "Label of every nginx metric, as name=value. Repeatable, or a list separated by "
    "commas or newlines.",
    (),
    split_const_labels,
    env="CONST_LABELS",
    repeatable=True,
)

PROGRAM = Program(
    "nginx-prometheus-exporter",
    "Export the stub_status numbers of nginx to Prometheus.",
    (
        LISTEN_ADDRESS,
        SYSTEMD_SOCKET,
        CONFIG_FILE,
        TELEMETRY_PATH,
        SCRAPE_URI,
        SSL_VERIFY,
        SSL_CA_CERT,
        SSL_CLIENT_CERT,
        SSL_CLIENT_KEY,
        TIMEOUT,
        CONST_LABEL,
        web.ENABLE_OPENMETRICS,
        *logs.LOG_FLAGS,
    ),
)


def main() -> int:
    """Run the exporter with the process' arguments; return its exit code."""
    return flags.main(PROGRAM, sys.argv[1:], os.environ, run)


def run(values: Values) -> int:
    """Run the exporter until it is told to stop; return its exit code."""
    logs.setup(values[logs.LOG_LEVEL], values[logs.LOG_FORMAT])
    log.info(PROGRAM.name, extra={"fields": {"version": version.info()}})
    log.info(
        "build context", extra={"fields": {"build_context": version.build_context()}}
    )
    return lifecycle.run(partial(serve, values))


async def serve(values: Values, stop: asyncio.Event) -> None:
    """Serve metrics until *stop* is set.

    Whether nginx answers plays no part in the start. Raises StartError for a URI, a
    label name, a certificate or a listen address that cannot be used.
    """
    uris, pairs = values[SCRAPE_URI], values[CONST_LABEL]
    targets, labels, tls = parse_targets(uris), const_labels(pairs), _tls(values)
    addresses = values[LISTEN_ADDRESS]
    executor = ThreadPoolExecutor(RESOLVER_THREADS, thread_name_prefix="nginx-dns")
    network = Network(
        Resolver(executor), tls, f"NGINX-Prometheus-Exporter/v{version.version()}"
    )
    async with AsyncExitStack() as stack:
        # A lookup under way is not waited for; lifecycle.run() leaves it behind.
        stack.callback(executor.shutdown, wait=False, cancel_futures=True)
        clients = [
            await stack.enter_async_context(Client(target, network))
            for target in targets
        ]
        collector = Collector(clients, labels, values[TIMEOUT])

        async def gather(scrape: web.Scrape) -> Iterable[Metric]:
            return await collector.collect(scrape.timeout_seconds)

        app = web.exporter_app(
            name="nginx_exporter",
            title="NGINX Prometheus Exporter",
            description="Prometheus Exporter for NGINX",
            gather=gather,
            telemetry_path=values[TELEMETRY_PATH],
            # Behind every limit of a single nginx: nginx_up 0 comes first.
            gather_seconds=max(values[TIMEOUT], CEILING_SECONDS) + 5,
            openmetrics=values[web.ENABLE_OPENMETRICS],
            header_color="#039900",
        )
        await web.serve(
            app,
            addresses,
            stop,
            config_file=values[CONFIG_FILE],
            systemd_socket=values[SYSTEMD_SOCKET],
        )


def _tls(values: Values) -> SSLContext:
    certificate, key = values[SSL_CLIENT_CERT], values[SSL_CLIENT_KEY]
    if bool(certificate) != bool(key):
        log.warning(
            "no client certificate is used: expected both --nginx.ssl-client-cert "
            "and --nginx.ssl-client-key, got one"
        )
    return client_context(
        verify=values[SSL_VERIFY],
        ca_file=values[SSL_CA_CERT],
        cert_file=certificate,
        key_file=key,
    )
