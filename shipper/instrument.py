"""What is measured of the shipper's own HTTP server, as dskit measures promtail's.

Upstream: vendor dskit server/metrics.go, middleware/instrument.go of Loki 3.4.6.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from typing import Final
from weakref import WeakSet

from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware
from prometheus_client import CollectorRegistry, Gauge, Histogram, Metric
from prometheus_client.core import GaugeMetricFamily

from exporters.toolkit.web import Handler

from .metrics import DURATION_BUCKETS


_MIB: Final = 1024 * 1024
_SIZES: Final = tuple(n * _MIB for n in (1, 2.5, 5, 10, 25, 50, 100, 250))
_SECONDS: Final = (*DURATION_BUCKETS, 25, 50, 100)
_NO_NAME: Final = re.compile("[^a-zA-Z0-9]+")


class HttpMetrics:
    """The families, in *registry*, and the middleware that fills them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register the families; they have no series before the first request."""
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
        self._connections = _Connections()
        registry.register(self._connections)

    def middleware(self) -> Middleware:
        """Return the middleware; it is to be the outermost one."""

        @web.middleware
        async def measure(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._measure(request, handler)

        return measure

    async def _measure(
        self, request: web.Request, handler: Handler
    ) -> web.StreamResponse:
        self._connections.note(request)
        labels = (_method(request), route_name(request))
        started = time.perf_counter()
        status, sent = 500, 0
        with self._inflight.labels(*labels).track_inprogress():
            try:
                response = await handler(request)
                status, sent = response.status, response.content_length or 0
            except web.HTTPException as error:
                status, sent = error.status, error.content_length or 0
                raise
            finally:
                seconds = time.perf_counter() - started
                self._received.labels(*labels).observe(_received(request))
                self._sent.labels(*labels).observe(sent)
                self._duration.labels(*labels, str(status), _ws(request)).observe(
                    seconds
                )
        return response


class _Connections:
    """Connections that asked for something and are open yet."""

    def __init__(self) -> None:
        self._open: WeakSet[asyncio.Transport] = WeakSet()

    def note(self, request: web.Request) -> None:
        if request.transport is not None:
            self._open.add(request.transport)

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges; there is no gRPC here, and no limit."""
        count = sum(not transport.is_closing() for transport in self._open)
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
        for protocol, number in (("grpc", 0), ("http", count)):
            connections.add_metric([protocol], number)
            limit.add_metric([protocol], 0)
        yield connections
        yield limit


def route_name(request: web.Request) -> str:
    """Return the route as dskit spells it: ``root``, ``service_discovery``."""
    resource = request.match_info.route.resource
    if resource is None:
        return "other"
    return _NO_NAME.sub("_", resource.canonical).strip("_").lower() or "root"


def _method(request: web.Request) -> str:
    # Anybody may send any word as a method; each would be series that never go away.
    return request.method if request.method in hdrs.METH_ALL else "other"


def _received(request: web.Request) -> int:
    return getattr(request.content, "total_bytes", 0)


def _ws(request: web.Request) -> str:
    upgrades = request.headers.get("Upgrade", "").lower() == "websocket"
    return "true" if upgrades else "false"
