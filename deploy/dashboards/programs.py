"""The programs of the monitoring: what they take, and how Prometheus does."""

from __future__ import annotations

from deploy.dashboards import links
from deploy.dashboards.dress import BYTES, Scale
from deploy.dashboards.panels import graph
from deploy.dashboards.queries import Metrics
from deploy.dashboards.thresholds import ZERO_IS_GOOD, above


ANY = Metrics('job=~"$job",instance=~"$instance"')
LOGS = links.logs()
RATE = "[$__rate_interval]"
TARGET = "{{job}} {{instance}}"
NEVER = Scale("short", ZERO_IS_GOOD, decimals=0)


# What the programs of the monitoring take for themselves.
FILES = "process_open_fds{@} / process_max_fds{@}"
PROCESSES_ROW = (
    graph(
        "Memory",
        "Memory of each program of the monitoring.",
        BYTES,
        ANY.over_time("process_resident_memory_bytes{@}", TARGET),
        to=LOGS,
    ),
    graph(
        "Processor",
        "Share of one core that each program of the monitoring takes.",
        Scale("percentunit"),
        ANY.over_time(f"rate(process_cpu_seconds_total{{@}}{RATE})", TARGET),
        to=LOGS,
    ),
    graph(
        "Open files",
        "Share of the open files that each program may have.",
        Scale("percentunit", above(0.7, 0.9), highest=1),
        ANY.over_time(FILES, TARGET),
        to=LOGS,
    ),
)


# How Prometheus itself does.
OWN = links.logs("prometheus")
SIZE = (
    "prometheus_tsdb_storage_blocks_bytes{@}"
    " + prometheus_tsdb_wal_storage_size_bytes{@}"
    " + prometheus_tsdb_head_chunks_storage_size_bytes{@}"
)
RULES = f"rate(prometheus_rule_evaluation_failures_total{{@}}{RATE})"
LATE = f"rate(prometheus_rule_group_iterations_missed_total{{@}}{RATE})"
UNSENT = f"rate(prometheus_notifications_dropped_total{{@}}{RATE})"
SAMPLES = f"rate(prometheus_tsdb_head_samples_appended_total{{@}}{RATE})"
LIMIT = "prometheus_tsdb_retention_limit_bytes{@}"
PROMETHEUS_ROW = (
    graph(
        "Series in memory",
        "Series that Prometheus holds: 1 to 2 million need 8 to 16 GB.",
        Scale("short", above(1e6, 2e6), decimals=0),
        ANY.over_time("prometheus_tsdb_head_series{@}", TARGET),
        to=OWN,
    ),
    graph(
        "Samples",
        "Samples that Prometheus stores in a second.",
        Scale("cps"),
        ANY.over_time(f"sum by (job, instance) ({SAMPLES})", TARGET),
        to=OWN,
    ),
    graph(
        "Size on the disk",
        "What Prometheus keeps, and the limit at which the oldest goes; 0 is none.",
        BYTES,
        ANY.over_time(SIZE, TARGET + " used"),
        ANY.over_time(LIMIT, TARGET + " limit"),
        to=OWN,
    ),
    graph(
        "Rules and alerts that failed",
        "Rules that could not be evaluated or came late, and alerts that no"
        " Alertmanager took.",
        Scale("ops", ZERO_IS_GOOD),
        ANY.over_time(f"sum by (instance) ({RULES})", "{{instance}} failed"),
        ANY.over_time(f"sum by (instance) ({LATE})", "{{instance}} late"),
        ANY.over_time(f"sum by (instance) ({UNSENT})", "{{instance}} not sent"),
        to=OWN,
    ),
)
