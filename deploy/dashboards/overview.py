"""The first look: is the site up, how fast, how many errors, what is filling up."""

from __future__ import annotations

from grafana_foundation_sdk.models import dashboard

from deploy.dashboards import (
    devices,
    events,
    host,
    links,
    mysql,
    php_fpm,
    shipping,
    traffic,
    uids,
    variables,
)
from deploy.dashboards.dress import COUNT, REQUESTS, Scale
from deploy.dashboards.page import page
from deploy.dashboards.panels import bars, graph, histogram, lines, number, state
from deploy.dashboards.queries import ERROR, Logs, Metrics
from deploy.dashboards.thresholds import ZERO_IS_GOOD


ALL = Metrics('job=~".+"')
DISKS = Metrics(f"{ALL.where},{devices.REAL}")
LINES = Logs('host=~"$host",compose_project=~"$project",job=~".+"')
NEVER = Scale("short", ZERO_IS_GOOD, decimals=0)
ERRORS = links.logs(level=ERROR, streams=True)
NGINX = links.board(uids.NGINX)
PHP = links.board(uids.PHP_FPM)
MYSQL = links.board(uids.WORDPRESS)
NODE = links.board(uids.HOST)
MONITORING = links.board(uids.MONITORING)


def build() -> dashboard.Dashboard:
    """Return the dashboard."""
    return page(
        uids.OVERVIEW,
        "Is the site up, how fast, how many errors are there, is anything filling up?",
        variables.places(),
        [
            ("Is it up?", [*SERVICES_ROW, *WATCHED_ROW]),
            ("How fast, and how many errors?", SPEED_ROW),
            ("What is filling up?", FILLING_ROW),
            ("What do the logs say?", LOG_ROW),
        ],
    )


# Whether each part of the site answers.
SERVICES_ROW = (
    state(
        "nginx",
        "Whether every nginx answers its exporter.",
        ALL.now("min(nginx_up{@})", "nginx"),
        to=NGINX,
    ),
    state(
        "php-fpm",
        "Whether every pool of php-fpm answers the exporter.",
        ALL.now("min(phpfpm_up{@})", "php-fpm"),
        to=PHP,
    ),
    state(
        "MySQL",
        "Whether every database lets its exporter in.",
        ALL.now("min(mysql_up{@})", "MySQL"),
        to=MYSQL,
    ),
    number(
        "Failed answers",
        "Share of the answers that are 5xx.",
        traffic.FAILED,
        ALL.now(traffic.FAILED_SHARE, "5xx"),
        to=ERRORS,
    ),
)


# Whether the monitoring sees everything, and what it says.
# The rules that were loaded show that alerts could be there at all.
FIRING = f"count({events.ALERTS}) or 0 * sum(prometheus_rule_group_rules)"
WATCHED_ROW = (
    number(
        "Alerts",
        "Alerts that fire, warnings and critical ones. No data: no rules are loaded.",
        NEVER,
        ALL.now(FIRING, "firing"),
        to=MONITORING,
    ),
    number(
        "Targets down",
        "Targets that Prometheus does not reach: what they would say is missing here.",
        NEVER,
        ALL.now("count(up{@}) - sum(up{@})", "down"),
        to=MONITORING,
    ),
)


# Requests, errors and times, and who makes them slow.
ASKED = f"sum(rate(nginx_http_requests_total{{@}}{traffic.RATE}))"
SPEED_ROW = (
    traffic.answers(ALL, NGINX),
    traffic.times(ALL, NGINX),
    traffic.failed(ALL, ERRORS),
    graph(
        "Requests",
        "Requests in a second as nginx counts them, and those that PHP had to answer.",
        REQUESTS,
        ALL.over_time(ASKED, "nginx"),
        ALL.over_time(
            f"sum(rate(phpfpm_accepted_connections{{@}}{traffic.RATE}))", "PHP"
        ),
        to=PHP,
    ),
)


# What is limited and how much of it is used, and what grows.
SHARES = (
    DISKS.now(devices.worst(devices.FILLED), "fullest file system"),
    DISKS.now(devices.worst(devices.INODES), "inodes"),
    ALL.now(devices.worst(host.RAM), "memory"),
    ALL.now(devices.worst(mysql.CONNECTED), "MySQL connections"),
    ALL.now(devices.worst(php_fpm.USED), "php-fpm children at work"),
    ALL.now(devices.worst(shipping.SPOOL), "spool of the shipper"),
)
FILLING_ROW = (
    bars(
        "Used of what there is",
        "At 100 % something stops. Each is the fullest of all hosts.",
        devices.FULL,
        *SHARES,
        to=NODE,
    ),
    graph(
        "Load for each core",
        "Processes that want a core, for each core: above 1 they queue.",
        host.LOAD,
        ALL.over_time(host.CORES, "{{instance}}"),
        to=NODE,
    ),
    graph(
        "File systems",
        "Share of each file system that is used.",
        devices.FULL,
        DISKS.over_time(devices.FILLED, "{{instance}} {{mountpoint}}"),
        to=NODE,
    ),
    graph(
        "Log lines on the way",
        "Age of the oldest line that is read and not yet stored: the logs below are"
        " that late.",
        shipping.LATE,
        ALL.over_time("shipper_oldest_unacknowledged_seconds{@}", "{{instance}}"),
        to=MONITORING,
    ),
)


# Who complains, and the newest complaints.
COMPLAINTS = f"sum by (job) (count_over_time({{@}} |~ `{ERROR}` [$__interval]))"
WRITTEN = "sum by (job) (bytes_over_time({@} [$__interval]))"
LOG_ROW = (
    histogram(
        "Errors in the logs",
        "Lines that say error or worse, and answers 5xx, of each service.",
        COUNT,
        LINES.over_time(COMPLAINTS, "{{job}}"),
        to=ERRORS,
    ),
    histogram(
        "Volume of the logs",
        "Bytes of log lines of each service.",
        Scale("bytes"),
        LINES.over_time(WRITTEN, "{{job}}"),
        to=links.logs(streams=True),
    ),
    lines(
        "Newest errors",
        "The newest of the lines that are counted above.",
        LINES.lines(f"{{@}} |~ `{ERROR}`", 100),
    ),
)
