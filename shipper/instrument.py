"""What is measured of the shipper's own HTTP server, as dskit measures promtail's.

Upstream: vendor dskit server/metrics.go, middleware/instrument.go of Loki 3.4.6.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Final

from prometheus_client.metrics import Gauge, Histogram
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import CollectorRegistry

from exporters.toolkit.http.application import Middleware
from exporters.toolkit.web import Handler, Request, Response

from .metrics import DURATION_BUCKETS


_MIB: Final = 1024 * 1024
_SIZES: Final = tuple(n * _MIB for n in (1, 2.5, 5, 10, 25, 50, 100, 250))
_SECONDS: Final = (*DURATION_BUCKETS, 25, 50, 100)
_NO_NAME: Final = re.compile("[^a-zA-Z0-9]+")
# Anybody may send any word; each other one would be series that never go away.
_METHODS: Final = frozenset(
    ["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"]
)

Route = Callable[[str], str | None]


class HttpMetrics:
    """The families, in *registry*, and the middleware that fills them."""

    def __init__(
        self, registry: CollectorRegistry, connections: Callable[[], int]
    ) -> None:
        """Register the families; they have no series before the first request.

        *connections* is how many there are at this moment.
        """
        route = ("method", "route")
        self._duration = Histogram(
            "request_duration_seconds",
            "Time (in seconds) spent serving HTTP requests.",
            (*route, "status_code", "ws"),
            buckets=_SECONDS,
            registry=registry,
        )
        self._received = Histogram(
            "request_message_bytes",
            "Size (in bytes) of messages received in the request.",
            route,
            buckets=_SIZES,
            registry=registry,
        )
        self._sent = Histogram(
            "response_message_bytes",
            "Size (in bytes) of messages sent in response.",
            route,
            buckets=_SIZES,
            registry=registry,
        )
        self._inflight = Gauge(
            "inflight_requests",
            "Current number of inflight requests.",
            route,
            registry=registry,
        )
        registry.register(_Connections(connections))

    def middleware(self, route: Route) -> Middleware:
        """Return the middleware; it is to be the outermost one.

        *route* returns what was added to an application and serves a path.
        """

        async def measure(request: Request, handler: Handler) -> Response:
            name = route_name(route(request.path))
            return await self._measure(name, request, handler)

        return measure

    async def _measure(
        self, route: str, request: Request, handler: Handler
    ) -> Response:
        method = request.method if request.method in _METHODS else "other"
        labels = (method, route)
        started = time.perf_counter()
        status, sent = 500, 0
        with self._inflight.labels(*labels).track_inprogress():
            try:
                response = await handler(request)
                status, sent = response.status, len(response.body)
            finally:
                seconds = time.perf_counter() - started
                self._received.labels(*labels).observe(request.length or 0)
                self._sent.labels(*labels).observe(sent)
                self._duration.labels(*labels, str(status), _ws(request)).observe(
                    seconds
                )
        return response


class _Connections:
    """The connections that are open."""

    def __init__(self, count: Callable[[], int]) -> None:
        self._count = count

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges; there is no gRPC here, and no limit."""
        connections = GaugeMetricFamily(
            "tcp_connections",
            "Current number of accepted TCP connections.",
            labels=["protocol"],
        )
        limit = GaugeMetricFamily(
            "tcp_connections_limit",
            "The max number of TCP connections that can be accepted "
            "(0 means no limit).",
            labels=["protocol"],
        )
        for protocol, number in (("grpc", 0), ("http", self._count())):
            connections.add_metric([protocol], number)
            limit.add_metric([protocol], 0)
        yield connections
        yield limit


def route_name(route: str | None) -> str:
    """Return *route* as dskit spells it: ``root``, ``service_discovery``."""
    if route is None:
        return "other"
    return _NO_NAME.sub("_", route).strip("_").lower() or "root"


def _ws(request: Request) -> str:
    upgrades = request.headers.get("upgrade").lower() == "websocket"
    return "true" if upgrades else "false"
