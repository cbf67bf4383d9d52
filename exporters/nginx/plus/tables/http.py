"""Numbers of ``/http/…``: zones, upstreams, limits, caches.

Upstream counterpart: ``collector/nginx_plus.go``, serverZoneMetrics to
cacheZoneMetrics. Times are milliseconds, as nginx counts them.
"""

from __future__ import annotations

from exporters.nginx.plus.fields import Table, counter, gauge
from exporters.nginx.plus.numbers import flag, integer, state

from .shared import HEALTH_CHECKS, LIMIT_CONNECTIONS, RESPONSES, SSL


REQUESTS = Table(
    "http_requests_",
    (),
    (
        counter("total", "Total http requests"),
        gauge("current", "Current http requests"),
    ),
)

SERVER_ZONE = Table(
    "server_zone_",
    ("server_zone",),
    (
        gauge("processing", "Client requests that are currently being processed"),
        counter("requests", "Total client requests"),
        *RESPONSES,
        counter("discarded", "Requests completed without sending a response"),
        counter("received", "Bytes received from clients"),
        counter("sent", "Bytes sent to clients"),
        *SSL,
    ),
)

LOCATION_ZONE = Table(
    "location_zone_",
    ("location_zone",),
    (
        counter("requests", "Total client requests", read=integer),
        *RESPONSES,
        counter(
            "discarded", "Requests completed without sending a response", read=integer
        ),
        counter("received", "Bytes received from clients", read=integer),
        counter("sent", "Bytes sent to clients", read=integer),
    ),
)

UPSTREAM_SERVER = Table(
    "upstream_server_",
    ("upstream", "server"),
    (
        gauge("state", "Current state", read=state),
        gauge("active", "Active connections"),
        gauge(
            "max_conns",
            "Limit for connections which corresponds to the max_conns parameter of the "
            "upstream server. Zero value means there is no limit",
            "limit",
            integer,
        ),
        counter("requests", "Total client requests"),
        *RESPONSES,
        counter("sent", "Bytes sent to this server"),
        counter("received", "Bytes received to this server"),
        counter(
            "fails", "Number of unsuccessful attempts to communicate with the server"
        ),
        counter(
            "unavail",
            "How many times the server became unavailable for client requests (state "
            "'unavail') due to the number of unsuccessful attempts reaching the "
            "max_fails threshold",
        ),
        gauge("header_time", "Average time to get the response header from the server"),
        gauge("response_time", "Average time to get the full response from the server"),
        *HEALTH_CHECKS,
        *SSL,
    ),
    skip_zero="health_checks",
)

UPSTREAM = Table(
    "upstream_",
    ("upstream",),
    (
        gauge("keepalive", "Idle keepalive connections", read=integer),
        gauge(
            "zombies",
            "Servers removed from the group but still processing active client "
            "requests",
            read=integer,
        ),
    ),
)

LIMIT_REQUEST = Table(
    "limit_request_",
    ("zone",),
    (
        counter(
            "passed",
            "Total number of requests that were neither limited nor accounted as "
            "limited",
        ),
        counter("delayed", "Total number of requests that were delayed"),
        counter("rejected", "Total number of requests that were rejected"),
        counter(
            "delayed_dry_run",
            "Total number of requests accounted as delayed in the dry run mode",
        ),
        counter(
            "rejected_dry_run",
            "Total number of requests accounted as rejected in the dry run mode",
        ),
    ),
)

LIMIT_CONNECTION = Table("limit_connection_", ("zone",), LIMIT_CONNECTIONS)

_FROM_CACHE = (
    ("hit", "Total number of cache hits", "returned from cache"),
    ("stale", "Total number of stale cache hits", "returned from stale cache"),
    (
        "updating",
        "Total number of cache hits while cache is updating",
        "returned from cache while cache is updating",
    ),
    (
        "revalidated",
        "Total number of cache revalidations",
        "returned from cache revalidations",
    ),
    ("miss", "Total number of cache misses", "returned from cache misses"),
    (
        "expired",
        "Total number of cache hits with expired TTL",
        "returned from cache hits with expired TTL",
    ),
    ("bypass", "Total number of cache bypasses", "returned from cache bypasses"),
)
_TO_CACHE = (
    ("expired", "cache hits with expired TTL"),
    ("bypass", "cache bypasses"),
)

CACHE = Table(
    "cache_",
    ("zone",),
    (
        gauge("size", "Total size of the cache"),
        gauge("max_size", "Maximum size of the cache"),
        gauge("cold", "Is the cache considered cold", read=flag),
        *(counter(f"{key}.responses", about) for key, about, _ in _FROM_CACHE),
        *(
            counter(f"{key}.bytes", f"Total number of bytes {about}")
            for key, _, about in _FROM_CACHE
        ),
        *(
            counter(
                f"{key}.responses_written", f"Total number of {what} written to cache"
            )
            for key, what in _TO_CACHE
        ),
        *(
            counter(
                f"{key}.bytes_written",
                f"Total number of bytes written to cache from {what}",
            )
            for key, what in _TO_CACHE
        ),
    ),
)
