"""Numbers of the whole nginx: connections, TLS, resolvers, workers, the license.

Upstream counterpart: ``collector/nginx_plus.go`` totalMetrics, resolverMetrics and
workerMetrics.
"""

from __future__ import annotations

from exporters.nginx.plus.fields import Table, counter, gauge
from exporters.nginx.plus.numbers import flag, integer


CONNECTIONS = Table(
    "connections_",
    (),
    (
        counter("accepted", "Accepted client connections", read=integer),
        counter("dropped", "Dropped client connections", read=integer),
        gauge("active", "Active client connections", read=integer),
        gauge("idle", "Idle client connections", read=integer),
    ),
)

SSL_TOTALS = Table(
    "ssl_",
    (),
    (
        counter("handshakes", "Successful SSL handshakes"),
        counter("handshakes_failed", "Failed SSL handshakes"),
        counter("session_reuses", "Session reuses during SSL handshake"),
    ),
)

LICENSE = Table(
    "license_",
    (),
    (
        gauge(
            "active_till",
            "License expiration date (expressed as Unix Epoch Time)",
            "expiration_timestamp_seconds",
        ),
        gauge(
            "reporting.healthy",
            "Indicates whether the reporting state is still considered healthy despite "
            "recent failed attempts",
            read=flag,
        ),
        gauge(
            "reporting.fails",
            "Number of failed reporting attempts, reset each time the usage report is "
            "successfully sent",
            "reporting_fails_count",
        ),
        gauge(
            "reporting.grace",
            "Number of seconds before traffic processing is stopped after unsuccessful "
            "report attempt",
            "reporting_grace_period_seconds",
        ),
    ),
    skip_null="reporting",
)

RESOLVER = Table(
    "resolver_",
    ("resolver",),
    (
        counter(
            "requests.name",
            "Total requests to resolve names to addresses",
            "name",
            integer,
        ),
        counter(
            "requests.srv", "Total requests to resolve SRV records", "srv", integer
        ),
        counter(
            "requests.addr",
            "Total requests to resolve addresses to names",
            "addr",
            integer,
        ),
        *(
            counter(f"responses.{answer}", about, answer, integer)
            for answer, about in (
                ("noerror", "Total number of successful responses"),
                ("formerr", "Total number of FORMERR responses"),
                ("servfail", "Total number of SERVFAIL responses"),
                ("nxdomain", "Total number of NXDOMAIN responses"),
                ("notimp", "Total number of NOTIMP responses"),
                ("refused", "Total number of REFUSED responses"),
                ("timedout", "Total number of timed out requests"),
                ("unknown", "Total requests completed with an unknown error"),
            )
        ),
    ),
)

WORKER = Table(
    "worker_",
    ("id", "pid"),
    (
        counter(
            "connections.accepted",
            "The total number of accepted client connections",
            "connection_accepted",
            integer,
        ),
        counter(
            "connections.dropped",
            "The total number of dropped client connections",
            "connection_dropped",
            integer,
        ),
        gauge(
            "connections.active",
            "The current number of active client connections",
            "connection_active",
            integer,
        ),
        gauge(
            "connections.idle",
            "The current number of idle client connections",
            "connection_idle",
            integer,
        ),
        counter(
            "http.requests.total",
            "The total number of client requests received by the worker process",
        ),
        gauge(
            "http.requests.current",
            "The current number of client requests that are currently being processed "
            "by the worker process",
        ),
    ),
)
