"""php-fpm: whether there are enough children, and what they do."""

from __future__ import annotations

from grafana_foundation_sdk.models import dashboard

from deploy.dashboards import links, uids, variables
from deploy.dashboards.dress import BYTES, COUNT, REQUESTS, Scale
from deploy.dashboards.page import page
from deploy.dashboards.panels import (
    bars,
    graph,
    histogram,
    lines,
    number,
    stacked,
    state,
)
from deploy.dashboards.queries import ERROR, Logs, Metrics
from deploy.dashboards.thresholds import ZERO_IS_GOOD, above


FPM = Metrics('job=~"$job",instance=~"$instance",pool=~"$pool"')
PHP = Logs('host=~"$host",compose_project=~"$project",job=~"$log_job"')
LOGS = links.logs("wordpress", streams=True)
ERRORS = links.logs("wordpress", level=ERROR, streams=True)
RATE = "[$__rate_interval]"
POOL = "{{instance}} {{pool}}"
QUEUE = Scale("short", above(1, 5), decimals=0)
BUSY = Scale("percentunit", above(0.8, 0.95), highest=1)
NEVER = Scale("short", ZERO_IS_GOOD, decimals=0)
USED = (
    "phpfpm_active_processes{@} / (phpfpm_total_processes{@} > 0)"
    " or phpfpm_total_processes{@}"
)


def build() -> dashboard.Dashboard:
    """Return the dashboard."""
    pools = 'label_values(phpfpm_up{job=~"$job",instance=~"$instance"}, pool)'
    return page(
        uids.PHP_FPM,
        "php-fpm's pools as their status pages show them.",
        [
            *variables.targets("phpfpm_up"),
            variables.prometheus("pool", "Pool", pools),
            *variables.streams("wordpress"),
        ],
        [
            ("At a glance", GLANCE_ROW),
            ("Children", [*CHILDREN_ROW, *QUEUE_ROW]),
            ("Requests", REQUESTS_ROW),
            ("Log", LOG_ROW),
        ],
    )


# The numbers that say whether PHP keeps up.
GLANCE_ROW = (
    state(
        "php-fpm",
        "Whether the exporter got the status of every pool.",
        FPM.now("min(phpfpm_up{@})", "php-fpm"),
        to=LOGS,
    ),
    number(
        "Requests",
        "Requests in a second that PHP took.",
        REQUESTS,
        FPM.now(f"sum(rate(phpfpm_accepted_connections{{@}}{RATE}))", "requests"),
        to=LOGS,
    ),
    number(
        "Children at work",
        "Share of the children that exist which have a request, in the busiest pool."
        " More are started until pm.max_children is reached.",
        BUSY,
        FPM.now(f"max({USED})", "busy"),
        to=LOGS,
    ),
    number(
        "Waiting requests",
        "Requests for which no child is free. Visitors wait.",
        QUEUE,
        FPM.now("sum(phpfpm_listen_queue{@})", "waiting"),
        to=LOGS,
    ),
    number(
        "Limit reached",
        "Times in the last hour that pm.max_children kept a child from being started.",
        NEVER,
        FPM.now("sum(increase(phpfpm_max_children_reached{@}[1h]))", "reached"),
        to=LOGS,
    ),
    number(
        "Slow requests",
        "Requests in the last hour that took longer than request_slowlog_timeout; 0"
        " where that is not set.",
        NEVER,
        FPM.now("sum(increase(phpfpm_slow_requests{@}[1h]))", "slow"),
        to=LOGS,
    ),
)


# How many children there are and what they do.
STATE_OF = "sum by (state) (phpfpm_process_state{@})"
CHILDREN_ROW = (
    stacked(
        "Children",
        "Children that have a request, and those that wait for one.",
        COUNT,
        FPM.over_time("sum(phpfpm_active_processes{@})", "active"),
        FPM.over_time("sum(phpfpm_idle_processes{@})", "idle"),
        to=LOGS,
    ),
    stacked(
        "Children by state",
        "What the children do, as the full status page says.",
        COUNT,
        FPM.over_time(STATE_OF, "{{state}}"),
        to=LOGS,
    ),
)


# Who waits, and whether the limits are reached.
REACHED = f"increase(phpfpm_max_children_reached{{@}}{RATE})"
FULL = "phpfpm_listen_queue{@} / (phpfpm_listen_queue_length{@} > 0)"
QUEUE_ROW = (
    graph(
        "Waiting requests",
        "Requests for which no child is free, now and at most since php-fpm started.",
        QUEUE,
        FPM.over_time("phpfpm_listen_queue{@}", POOL + " now"),
        FPM.over_time("phpfpm_max_listen_queue{@}", POOL + " at most"),
        to=LOGS,
    ),
    graph(
        "Queue used",
        "Share of the queue that is used. When it is full visitors get 502.",
        BUSY,
        FPM.over_time(FULL, POOL),
        to=LOGS,
    ),
    histogram(
        "Limit reached",
        "Times that pm.max_children kept a child from being started.",
        NEVER,
        FPM.over_time(REACHED, POOL),
        to=LOGS,
    ),
    graph(
        "Status page not answered",
        "Times that the exporter asked a pool in vain.",
        NEVER,
        FPM.over_time(f"increase(phpfpm_scrape_failures{{@}}{RATE})", POOL),
        to=LOGS,
    ),
)


# What the requests cost.
CHILD = POOL + " {{child}}"
REQUESTS_ROW = (
    graph(
        "Requests",
        "Requests in a second that each pool took.",
        REQUESTS,
        FPM.over_time(f"rate(phpfpm_accepted_connections{{@}}{RATE})", POOL),
        to=LOGS,
    ),
    graph(
        "Time of the last requests",
        "How long the newest request of each child took, or takes.",
        Scale("µs", above(1e6, 3e6)),
        FPM.over_time(
            "max by (instance, pool) (phpfpm_process_request_duration{@})", POOL
        ),
        to=LOGS,
    ),
    bars(
        "Memory of the last requests",
        "The most memory that the newest request of each child took: with it and"
        " with the memory of the container pm.max_children is found.",
        BYTES,
        FPM.now("phpfpm_process_last_request_memory{@}", CHILD),
        to=LOGS,
    ),
    graph(
        "Slow requests",
        "Requests that took longer than request_slowlog_timeout; 0 if that is not set.",
        NEVER,
        FPM.over_time(f"increase(phpfpm_slow_requests{{@}}{RATE})", POOL),
        to=LOGS,
    ),
)


# The lines of PHP.
BAD = f"{{@}} |~ `{ERROR}`"
LOG_ROW = (
    lines("Errors", "Lines of PHP that say error or worse.", PHP.lines(BAD)),
    lines("All lines", "Everything that php-fpm and PHP wrote.", PHP.lines("{@}")),
)
