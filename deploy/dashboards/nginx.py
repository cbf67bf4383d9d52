"""nginx: stub_status, the metrics of the access log, and the access log itself."""

from __future__ import annotations

from grafana_foundation_sdk.models import dashboard

from deploy.dashboards import links, traffic, uids, variables
from deploy.dashboards.dress import COUNT, REQUESTS, Scale
from deploy.dashboards.page import page
from deploy.dashboards.panels import graph, number, stacked, state
from deploy.dashboards.queries import Metrics
from deploy.dashboards.thresholds import ZERO_IS_GOOD
from deploy.dashboards.traffic import FAILED, RATE, SLOW, quantile
from deploy.dashboards.visitors import ERRORS, LOG_ROW, LOGS, PATHS_ROW, VISITORS_ROW


NGINX = Metrics('job=~"$job",instance=~"$instance"')
DROPPED = (
    f"rate(nginx_connections_accepted{{@}}{RATE})"
    f" - rate(nginx_connections_handled{{@}}{RATE})"
)


def build() -> dashboard.Dashboard:
    """Return the dashboard."""
    text = (
        "nginx as stub_status and the access log show it. What is counted by address or"
        " path comes from the lines of the log, and needs Loki's parser of JSON."
    )
    return page(
        uids.NGINX,
        text,
        [*variables.targets("nginx_up"), *variables.streams("nginx")],
        [
            ("At a glance", GLANCE_ROW),
            ("Requests", REQUESTS_ROW),
            ("Connections", CONNECTIONS_ROW),
            ("Who asks for what", [*PATHS_ROW, *VISITORS_ROW]),
            ("Log", LOG_ROW),
        ],
    )


# The numbers that say whether nginx is well.
GLANCE_ROW = (
    state(
        "nginx",
        "Whether the exporter got stub_status from nginx.",
        NGINX.now("min(nginx_up{@})", "nginx"),
        to=LOGS,
    ),
    number(
        "Requests",
        "Requests in a second, of all virtual hosts.",
        REQUESTS,
        NGINX.now(f"sum(rate(nginx_http_requests_total{{@}}{RATE}))", "requests"),
        to=LOGS,
    ),
    number(
        "Failed answers",
        "Share of the answers that are 5xx.",
        FAILED,
        NGINX.now(traffic.FAILED_SHARE, "5xx"),
        to=ERRORS,
    ),
    number(
        "Time of most answers",
        "19 of 20 answers are faster than this.",
        SLOW,
        NGINX.now(quantile(0.95), "p95"),
        to=LOGS,
    ),
    number(
        "Open connections",
        "Connections of clients, idle ones included.",
        COUNT,
        NGINX.now("sum(nginx_connections_active{@})", "open"),
        to=LOGS,
    ),
    number(
        "Dropped connections",
        "Connections that nginx took and could not serve: too few worker_connections.",
        Scale("cps", ZERO_IS_GOOD),
        NGINX.now(f"sum({DROPPED})", "dropped"),
        to=ERRORS,
    ),
)


# How many requests there are, how they end and how long they take.
SENT = f"sum(rate(nginx_http_response_size_bytes{{@}}{RATE}))"
RECEIVED = f"sum(rate(nginx_http_request_size_bytes{{@}}{RATE}))"
STATUS = f"sum by (status) (rate(nginx_http_response_count_total{{@}}{RATE}))"
METHOD = f"sum by (method) (rate(nginx_http_response_count_total{{@}}{RATE}))"
REQUESTS_ROW = (
    traffic.answers(NGINX, LOGS),
    traffic.failed(NGINX, ERRORS),
    traffic.times(NGINX, LOGS),
    graph(
        "Time of PHP",
        "What WordPress took of the time: until connected, until the header, until"
        " the end. 19 of 20 requests that reach it are faster.",
        SLOW,
        NGINX.over_time(quantile(0.95, "upstream_connect_time"), "connected p95"),
        NGINX.over_time(quantile(0.95, "upstream_header_time"), "header p95"),
        NGINX.over_time(quantile(0.95, "upstream_time"), "end p95"),
        to=links.logs("wordpress", streams=True),
    ),
    stacked(
        "Answers by status",
        "Answers in a second, by their status.",
        REQUESTS,
        NGINX.over_time(STATUS, "{{status}}"),
        to=LOGS,
    ),
    stacked(
        "Requests by method",
        "Requests in a second, by their method.",
        REQUESTS,
        NGINX.over_time(METHOD, "{{method}}"),
        to=LOGS,
    ),
    graph(
        "Traffic",
        "Bytes of bodies sent to clients, and of whole requests received.",
        Scale("Bps"),
        NGINX.over_time(SENT, "sent"),
        NGINX.over_time(RECEIVED, "received"),
        to=LOGS,
    ),
    graph(
        "Access log that is not understood",
        "Lines that are not of the format, and those counted under `other` because"
        " there were too many statuses or methods. They are missing above.",
        Scale("cps", ZERO_IS_GOOD),
        NGINX.over_time(
            f"sum(rate(nginx_parse_errors_total{{@}}{RATE}))", "not understood"
        ),
        NGINX.over_time(
            f"sum(rate(nginx_exporter_access_log_folded_lines_total{{@}}{RATE}))",
            "other",
        ),
        to=LOGS,
    ),
)


# What the connections do.
STATES = [
    NGINX.over_time(f"sum(nginx_connections_{what}{{@}})", what)
    for what in ("reading", "writing", "waiting")
]
OPENED = f"sum by (instance) (rate(nginx_connections_accepted{{@}}{RATE}))"
CONNECTIONS_DROPPED = f"sum by (instance) ({DROPPED})"
CONNECTIONS_ROW = (
    stacked(
        "Connections by state",
        "Reading a request, writing an answer, or idle and waiting for a request.",
        COUNT,
        *STATES,
        to=LOGS,
    ),
    graph(
        "New connections",
        "Connections taken in a second, and those of them that were dropped.",
        Scale("cps"),
        NGINX.over_time(OPENED, "{{instance}} taken"),
        NGINX.over_time(CONNECTIONS_DROPPED, "{{instance}} dropped"),
        to=ERRORS,
    ),
)
