"""What a target may be asked for: the parameter ``module``.

blackbox_exporter's modules are settings of a prober; here a module is what is spoken
to: stub_status, the API of NGINX Plus, php-fpm.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from exporters.nginx import fpm
from exporters.nginx.collector import Collector
from exporters.nginx.http.client import Client, Network
from exporters.nginx.http.resolver import Lookup
from exporters.nginx.metrics import Labels
from exporters.nginx.targets import parse_target
from exporters.toolkit.flags import Values
from exporters.toolkit.metric import Metric


if TYPE_CHECKING:
    from exporters.nginx.plus.collector import PlusCollector

# (URI, seconds, where alone it may be connected to) -> families. Never raises because
# of what the other side did; logs why its *_up is 0.
Ask = Callable[[str, float, Lookup], Awaitable[list[Metric]]]


# What each module says first.
_UP = frozenset({"nginx_up", "nginxplus_up", "phpfpm_up"})


class Module(NamedTuple):
    """How one kind of target is asked.

    The first of *schemes* is that of a target that names none.
    """

    ask: Ask
    schemes: tuple[str, ...] = ("http", "https", "unix")


def stub_status(network: Network, const_labels: Labels) -> Module:
    """Return the module that reads the stub_status page."""

    def make(client: Client, limit_seconds: float) -> Collector:
        return Collector([client], const_labels, limit_seconds)

    return _over_http(network, make)


def plus(network: Network, const_labels: Labels) -> Module:
    """Return the module that reads the API of NGINX Plus."""

    def make(client: Client, limit_seconds: float) -> PlusCollector:
        # Imported by the first probe of its kind: 2 MiB.
        from exporters.nginx.plus.collector import PlusCollector  # noqa: PLC0415

        return PlusCollector([client], const_labels, limit_seconds)

    return _over_http(network, make)


def _over_http(
    network: Network, make: Callable[[Client, float], Collector | PlusCollector]
) -> Module:
    """Return the module whose targets the collector of *make* asks.

    A connection is closed with the probe. Kept ones would save 0.4 ms of CPU each time,
    and hold 14 kB and a file descriptor for each of a thousand targets.
    """

    async def ask(uri: str, limit_seconds: float, resolver: Lookup) -> list[Metric]:
        async with Client(parse_target(uri), within(network, resolver)) as client:
            return await make(client, limit_seconds).collect(None)

    return Module(ask)


def php_fpm(values: Values, const_labels: Labels) -> Module:
    """Return the module that reads the status of a pool of php-fpm."""

    async def ask(uri: str, limit_seconds: float, resolver: Lookup) -> list[Metric]:
        collector = fpm.collector_of(
            (uri,), values, resolver, const_labels, limit_seconds
        )
        return await collector.collect(None)

    return Module(ask, ("tcp", "unix"))


def within(network: Network, resolver: Lookup) -> Network:
    """Return *network* as a probe may use it: to the addresses of *resolver* only.

    No redirect is followed either: where it leads has not been let in.
    """
    return replace(network, resolver=resolver, follow_redirects=False)


def succeeded(families: Iterable[Metric]) -> bool:
    """Return whether *families* say of what was asked that it is up."""
    ups = [
        sample.value
        for family in families
        if family.name in _UP
        for sample in family.samples
    ]
    return bool(ups) and all(ups)
