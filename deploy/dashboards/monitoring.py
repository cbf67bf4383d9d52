"""The monitoring itself: targets, exporters, Prometheus and the log store."""

from __future__ import annotations

from grafana_foundation_sdk.models import dashboard

from deploy.dashboards import links, shipping, uids, variables
from deploy.dashboards.dress import COUNT, Scale
from deploy.dashboards.page import page
from deploy.dashboards.panels import graph, number, timeline
from deploy.dashboards.programs import (
    ANY,
    LOGS,
    NEVER,
    PROCESSES_ROW,
    PROMETHEUS_ROW,
    RATE,
    TARGET,
)
from deploy.dashboards.tables import Column, listing
from deploy.dashboards.thresholds import ONE_IS_GOOD, ZERO_IS_GOOD, above


FAILED_COLLECTORS = (
    "(node_scrape_collector_success{@} == bool 0) unless on (job, instance, collector)"
    ' node_scrape_collector_failure{@,reason="no_data"} == 1'
)


def build() -> dashboard.Dashboard:
    """Return the dashboard."""
    return page(
        uids.MONITORING,
        "Whether what watches the site can be believed.",
        variables.targets("up"),
        [
            ("At a glance", [*GLANCE_ROW, *shipping.GLANCE_ROW]),
            ("Targets", TARGETS_ROW),
            ("Exporters", [*COLLECTORS_ROW, *PROCESSES_ROW]),
            ("Shipper: on time", shipping.DELAY_ROW),
            ("Shipper: lines", [*shipping.FLOW_ROW, *shipping.TROUBLE_ROW]),
            ("Log store", shipping.STORE_ROW),
            ("Prometheus", PROMETHEUS_ROW),
        ],
    )


# The numbers that say whether the monitoring is whole.
DOWN = "count(up{@}) - sum(up{@})"
FAILED = f"sum({FAILED_COLLECTORS}) or 0 * sum(node_scrape_collector_success{{@}})"
SLOWEST = "max(scrape_duration_seconds{@})"
GLANCE_ROW = (
    number(
        "Targets down",
        "Targets that Prometheus does not reach.",
        NEVER,
        ANY.now(DOWN, "down"),
        to=LOGS,
    ),
    number(
        "Collectors that fail",
        "Parts of the node exporter that fail, other than for want of the hardware.",
        NEVER,
        ANY.now(FAILED, "failed"),
        to=links.logs("node-exporter"),
    ),
    number(
        "Slowest scrape",
        "The longest time that a target took to answer. 10 s is the end.",
        Scale("s", above(2, 8)),
        ANY.now(SLOWEST, "slowest"),
        to=LOGS,
    ),
)


# Who is watched, since when, and how long it takes.
COLUMNS = [
    Column("Up", "up{@}", "none", ONE_IS_GOOD),
    Column("Scrape", "scrape_duration_seconds{@}", "s", above(2, 8)),
    Column("Samples", "scrape_samples_scraped{@}", "short"),
    Column("Running for", "time() - process_start_time_seconds{@}", "s"),
    Column("Memory", "process_resident_memory_bytes{@}", "bytes"),
]
TARGETS_ROW = (
    listing(
        "Targets",
        "What Prometheus asks, and what it gets.",
        ANY,
        ["job", "instance"],
        *COLUMNS,
        to=LOGS,
    ),
    timeline(
        "Up and down",
        "When each target answered Prometheus, and when it did not.",
        ANY.over_time("up{@}", TARGET),
        to=LOGS,
    ),
    graph(
        "Time of a scrape",
        "How long each target takes to answer. After scrape_timeout it counts as down.",
        Scale("s", above(2, 8)),
        ANY.over_time("scrape_duration_seconds{@}", TARGET),
        to=LOGS,
    ),
    graph(
        "Samples of a scrape",
        "How many numbers each target gives. A jump is a label with too many values.",
        COUNT,
        ANY.over_time("scrape_samples_scraped{@}", TARGET),
        to=LOGS,
    ),
    graph(
        "New series",
        "Series that were not in the scrape before. A steady stream fills Prometheus.",
        COUNT,
        ANY.over_time("scrape_series_added{@}", TARGET),
        to=LOGS,
    ),
)


# How the parts of the exporters do.
NODE = links.logs("node-exporter")
SLOW = "topk(10, max by (collector) (node_scrape_collector_duration_seconds{@}))"
MYSQL = "mysql_exporter_collector_success{@} == bool 0"
LOST = f"rate(nginx_exporter_access_log_parse_errors_total{{@}}{RATE})"
ERRORS = (
    f"sum by (job, instance) (rate(promhttp_metric_handler_errors_total{{@}}{RATE}))"
)
COLLECTORS_ROW = (
    graph(
        "Collectors of the node exporter that fail",
        "1 while a collector fails, other than because the host has no such hardware.",
        NEVER,
        ANY.over_time(FAILED_COLLECTORS, "{{instance}} {{collector}}"),
        to=NODE,
    ),
    graph(
        "Slowest collectors of the node exporter",
        "How long the ten slowest take. A hung mount shows here.",
        Scale("s", above(1, 5)),
        ANY.over_time(SLOW, "{{collector}}"),
        to=NODE,
    ),
    graph(
        "Collectors of the MySQL exporter that fail",
        "1 while a collector fails: mostly a right that its user does not have.",
        NEVER,
        ANY.over_time(MYSQL, "{{instance}} {{collector}}"),
        to=links.logs("mysqld-exporter"),
    ),
    graph(
        "Lines and metrics that could not be read",
        "Lines of the access log that are not of the format, and errors of the"
        " exporters' own pages.",
        Scale("ops", ZERO_IS_GOOD),
        ANY.over_time(LOST, "{{instance}} {{log}} {{reason}}"),
        ANY.over_time(ERRORS, TARGET),
        to=links.logs("nginx-exporter"),
    ),
)
