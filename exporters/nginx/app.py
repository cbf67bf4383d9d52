"""Wire the parts: what a scrape asks, what may be probed, and the server in front.

nginx, php-fpm, the access log and the counts of probes are each a `Source`; none of
them knows another. How a part works stands in its own module.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import TYPE_CHECKING, Protocol

from exporters.nginx import fpm, legacy, probe
from exporters.nginx.access_log import flags as access_log
from exporters.nginx.announce import announce
from exporters.nginx.collector import Collector
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
from exporters.nginx.http.client import Client, Network
from exporters.nginx.http.descriptors import raise_limit
from exporters.nginx.http.proxy_protocol import PROXY_PROTOCOL
from exporters.nginx.http.resolver import Resolver, resolver_threads
from exporters.nginx.metrics import Labels, const_labels
from exporters.nginx.patience import CEILING_SECONDS
from exporters.nginx.targets import parse_targets, split_uris
from exporters.toolkit import version, web
from exporters.toolkit.flags import Values
from exporters.toolkit.metric import Metric


if TYPE_CHECKING:
    from exporters.nginx.probe.handler import Prober
    from exporters.nginx.probe.modules import Module


class Source(Protocol):
    """Something that a scrape asks."""

    async def collect(self, scrape_timeout_seconds: float | None) -> list[Metric]:
        """Return its families in time; never raise because of what it asked did.

        *scrape_timeout_seconds* is what the scraper announced, None if nothing.
        """


async def serve(values: Values, stop: asyncio.Event) -> None:
    """Serve metrics until *stop* is set.

    Whether anything answers plays no part in the start. Raises StartError for what
    cannot be used: a URI, a label, a certificate, a file, an address.
    """
    raise_limit()
    addresses = values[LISTEN_ADDRESS]
    protect = legacy.protect(values, values[CONFIG_FILE])
    async with AsyncExitStack() as stack:
        app = await _application(values, stack)
        gc.enable()  # off since the first import (__main__.py)
        await web.serve(
            app,
            addresses,
            stop,
            config_file=values[CONFIG_FILE],
            systemd_socket=values[SYSTEMD_SOCKET],
            protect=protect,
            cancel_when_client_leaves=True,
        )


async def _application(values: Values, stack: AsyncExitStack) -> web.Application:
    labels = const_labels(legacy.const_labels(values, CONST_LABEL))
    network = _network(values, stack)
    prober = await stack.enter_async_context(_prober(values, network, labels))
    logs = await stack.enter_async_context(access_log.access_logs(values, labels))
    pools = fpm.build_collector(values, network.resolver, labels)
    beside = [each for each in (pools, logs, prober and prober.counts) if each]
    nginx = await _nginx(values, network, labels, stack, alone=not beside)
    app = web.exporter_app(
        name="nginx_exporter",
        title="NGINX Prometheus Exporter",
        description="Prometheus Exporter for NGINX and NGINX Plus",
        gather=_gather([*nginx, *beside]),
        telemetry_path=values[TELEMETRY_PATH],
        # Behind every limit of what is asked: nginx_up 0 comes first.
        gather_seconds=max(values[TIMEOUT], values[fpm.TIMEOUT], CEILING_SECONDS) + 5,
        openmetrics=values[web.ENABLE_OPENMETRICS],
        header_color="#039900",
    )
    probe.add_probe(app, prober)
    return app


def _network(values: Values, stack: AsyncExitStack) -> Network:
    given, files = values[headers.HEADER], values[headers.HEADER_FILE]
    executor = resolver_threads()
    # A lookup under way is not waited for; lifecycle.run() leaves it behind.
    stack.callback(executor.shutdown, wait=False, cancel_futures=True)
    return Network(
        Resolver(executor),
        tls.context_from(values),
        f"NGINX-Prometheus-Exporter/v{version.version()}",
        headers=headers.read_headers(given, files),
        proxy_protocol=values[PROXY_PROTOCOL],
    )


def _prober(
    values: Values, network: Network, labels: Labels
) -> AbstractAsyncContextManager[Prober | None]:
    def modules() -> Mapping[str, Module]:
        # Imported where something may be probed.
        from exporters.nginx.probe import modules  # noqa: PLC0415

        return {
            "stub_status": modules.stub_status(network, labels),
            "plus": modules.plus(network, labels),
            "fpm": modules.php_fpm(values, labels),
        }

    return probe.open_prober(
        values,
        modules,
        default_module="plus" if values[NGINX_PLUS] else "stub_status",
        timeout_seconds=values[TIMEOUT],
        openmetrics=values[web.ENABLE_OPENMETRICS],
    )


async def _nginx(
    values: Values,
    network: Network,
    labels: Labels,
    stack: AsyncExitStack,
    *,
    alone: bool,
) -> list[Source]:
    """Return what asks nginx; nothing where the URI is empty and nginx not *alone*."""
    uris = values[SCRAPE_URI]
    if not alone and not split_uris(uris):
        return []
    targets = parse_targets(uris)
    announce("Asking nginx", (target.name for target in targets))
    clients = [
        await stack.enter_async_context(Client(target, network)) for target in targets
    ]
    if not values[NGINX_PLUS]:
        return [Collector(clients, labels, values[TIMEOUT])]
    # Imported here: 2 MiB of tables that few need.
    from exporters.nginx.plus.collector import PlusCollector  # noqa: PLC0415

    return [PlusCollector(clients, labels, values[TIMEOUT])]


def _gather(sources: Sequence[Source]) -> web.Gather:
    if len(sources) == 1:  # as usual: it needs no task of its own
        only = sources[0]
        return lambda scrape: only.collect(scrape.timeout_seconds)

    async def gather(scrape: web.Scrape) -> Iterable[Metric]:
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(source.collect(scrape.timeout_seconds))
                for source in sources
            ]
        return [family for task in tasks for family in task.result()]

    return gather
