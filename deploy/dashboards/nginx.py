"""nginx: stub_status, the metrics of the access log, and the access log itself."""

from __future__ import annotations

from grafana_foundation_sdk.models import dashboard

from deploy.dashboards import links, traffic, uids, variables
from deploy.dashboards.dress import COUNT, REQUESTS, Scale
from deploy.dashboards.page import page
from deploy.dashboards.panels import bars, graph, lines, number, stacked, state
from deploy.dashboards.queries import ERROR, Logs, Metrics
from deploy.dashboards.thresholds import ZERO_IS_GOOD
from deploy.dashboards.traffic import FAILED, RATE, SLOW, quantile


NGINX = Metrics('job=~"$job",instance=~"$instance"')
ACCESS = Logs('host=~"$host",compose_project=~"$project",job=~"$log_job"')
LOGS = links.logs("nginx", streams=True)
ERRORS = links.logs("nginx", level=ERROR, streams=True)
# Only the lines that are JSON: nginx writes its own errors beside them.
JSON = '{@} | json | __error__=""'
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
        NGINX.over_time("min(nginx_up{@})", "nginx"),
        to=LOGS,
    ),
    number(
        "Requests",
        "Requests in a second, of all virtual hosts.",
        REQUESTS,
        NGINX.over_time(f"sum(rate(nginx_http_requests_total{{@}}{RATE}))", "requests"),
        to=LOGS,
    ),
    number(
        "Failed answers",
        "Share of the answers that are 5xx.",
        FAILED,
        NGINX.over_time(traffic.FAILED_SHARE, "5xx"),
        to=ERRORS,
    ),
    number(
        "Time of most answers",
        "19 of 20 answers are faster than this.",
        SLOW,
        NGINX.over_time(quantile(0.95), "p95"),
        to=LOGS,
    ),
    number(
        "Open connections",
        "Connections of clients, idle ones included.",
        COUNT,
        NGINX.over_time("sum(nginx_connections_active{@})", "open"),
        to=LOGS,
    ),
    number(
        "Dropped connections",
        "Connections that nginx took and could not serve: too few worker_connections.",
        Scale("cps", ZERO_IS_GOOD),
        NGINX.over_time(f"sum({DROPPED})", "dropped"),
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


# Which paths are asked for, fail, are missing and are slow.
ASKED = f"topk(10, sum by (uri) (count_over_time({JSON} [$__range])))"
FAILING = f"topk(10, sum by (uri) (count_over_time({JSON} | status >= 500 [$__range])))"
MISSING = f"topk(10, sum by (uri) (count_over_time({JSON} | status = 404 [$__range])))"
PATHS_SLOW = (
    f"topk(10, quantile_over_time(0.95, {JSON}"
    ' | unwrap request_time | __error__="" [$__range]) by (uri))'
)
PATH = "{{uri}}"
PATHS_ROW = (
    bars("Paths", "Asked for most often.", COUNT, ACCESS.now(ASKED, PATH), to=LOGS),
    bars(
        "Slow paths",
        "19 of 20 answers were faster.",
        SLOW,
        ACCESS.now(PATHS_SLOW, PATH),
        to=LOGS,
    ),
    bars(
        "Failing paths",
        "Answered 5xx.",
        COUNT,
        ACCESS.now(FAILING, PATH),
        to=ERRORS,
    ),
    bars("Missing paths", "Answered 404.", COUNT, ACCESS.now(MISSING, PATH), to=LOGS),
)


# Who asks most, and with what.
ADDRESS = f"topk(10, sum by (remote_addr) (count_over_time({JSON} [$__range])))"
AGENT = f"topk(10, sum by (http_user_agent) (count_over_time({JSON} [$__range])))"
VOLUME = (
    f"topk(10, sum by (remote_addr) (sum_over_time({JSON}"
    ' | unwrap body_bytes_sent | __error__="" [$__range])))'
)
LOGINS = (
    f'topk(10, sum by (remote_addr) (count_over_time({JSON} | request_method="POST"'
    ' | uri=~"/(wp-login|xmlrpc)[.]php" [$__range])))'
)
WHO = "{{remote_addr}}"
VISITORS_ROW = (
    bars("Addresses", "Most requests.", COUNT, ACCESS.now(ADDRESS, WHO), to=LOGS),
    bars(
        "Volume",
        "Most bytes sent to.",
        Scale("bytes"),
        ACCESS.now(VOLUME, WHO),
        to=LOGS,
    ),
    bars("Logins", "Most tries to log in.", COUNT, ACCESS.now(LOGINS, WHO), to=LOGS),
    bars(
        "Programs",
        "Most requests.",
        COUNT,
        ACCESS.now(AGENT, "{{http_user_agent}}"),
        to=LOGS,
    ),
)


# The lines themselves.
BAD = f"{{@}} |~ `{ERROR}`"
LOG_ROW = (
    lines(
        "Errors",
        "Lines of nginx that say error or worse, and answers 5xx.",
        ACCESS.lines(BAD),
    ),
    lines("All lines", "Everything that nginx wrote.", ACCESS.lines("{@}")),
)
