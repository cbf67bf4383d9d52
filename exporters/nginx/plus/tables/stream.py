"""Numbers of ``/stream/…``: zones, upstreams, limits, synchronised zones.

Upstream counterpart: ``collector/nginx_plus.go``, streamServerZoneMetrics to
streamLimitConnectionMetrics. Times are milliseconds, as nginx counts them.
"""

from __future__ import annotations

from exporters.nginx.plus.fields import Field, Table, counter, gauge
from exporters.nginx.plus.numbers import integer, state

from .shared import HEALTH_CHECKS, LIMIT_CONNECTIONS, SSL


SERVER_ZONE = Table(
    "stream_server_zone_",
    ("server_zone",),
    (
        gauge("processing", "Client connections that are currently being processed"),
        counter("connections", "Total connections"),
        *(
            Field(
                f"sessions.{each}",
                "counter",
                "Total sessions completed",
                "sessions",
                code=each,
            )
            for each in ("2xx", "4xx", "5xx")
        ),
        counter("discarded", "Connections completed without creating a session"),
        counter("received", "Bytes received from clients"),
        counter("sent", "Bytes sent to clients"),
        *SSL,
    ),
)

UPSTREAM_SERVER = Table(
    "stream_upstream_server_",
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
        counter(
            "connections",
            "Total number of client connections forwarded to this server",
        ),
        gauge(
            "connect_time",
            "Average time to connect to the upstream server",
            read=integer,
        ),
        gauge(
            "first_byte_time",
            "Average time to receive the first byte of data",
            read=integer,
        ),
        gauge("response_time", "Average time to receive the last byte of data"),
        counter("sent", "Bytes sent to this server"),
        counter("received", "Bytes received from this server"),
        counter(
            "fails", "Number of unsuccessful attempts to communicate with the server"
        ),
        counter(
            "unavail",
            "How many times the server became unavailable for client connections "
            "(state 'unavail') due to the number of unsuccessful attempts reaching the "
            "max_fails threshold",
        ),
        *HEALTH_CHECKS,
        *SSL,
    ),
    skip_zero="health_checks",
)

UPSTREAM = Table(
    "stream_upstream_",
    ("upstream",),
    (
        gauge(
            "zombies",
            "Servers removed from the group but still processing active client "
            "connections",
            read=integer,
        ),
    ),
)

LIMIT_CONNECTION = Table("stream_limit_connection_", ("zone",), LIMIT_CONNECTIONS)

ZONE_SYNC_ZONE = Table(
    "stream_zone_sync_zone_",
    ("zone",),
    (
        gauge(
            "records_pending",
            "The number of records that need to be sent to the cluster",
        ),
        gauge(
            "records_total",
            "The total number of records stored in the shared memory zone",
        ),
    ),
)

ZONE_SYNC_STATUS = Table(
    "stream_zone_sync_status_",
    (),
    (
        counter("bytes_in", "Bytes received by this node"),
        counter("bytes_out", "Bytes sent by this node"),
        counter("msgs_in", "Total messages received by this node"),
        counter("msgs_out", "Total messages sent by this node"),
        gauge("nodes_online", "Number of peers this node is connected to"),
    ),
)
