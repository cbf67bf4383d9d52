"""The road of a log line: the shipper, its spool, and the store."""

from __future__ import annotations

from deploy.dashboards import links
from deploy.dashboards.dress import BYTES, Scale
from deploy.dashboards.panels import graph, number, stacked
from deploy.dashboards.queries import Metrics, Query
from deploy.dashboards.thresholds import ZERO_IS_GOOD, above


SHIPPER = Metrics('job=~"$job",instance=~"$instance"')
SHIPPED = links.logs("promtail")
STORED = links.logs("loki")
RATE = "[$__rate_interval]"
LATE = Scale("s", above(60, 300))
NEVER = Scale("short", ZERO_IS_GOOD, decimals=0)
PLACE = "{{instance}}"
SPOOL = "shipper_spool_bytes{@} / (shipper_spool_limit_bytes{@} > 0)"
AWAY = (
    "(time() - (shipper_last_acknowledged_timestamp_seconds{@} > 0))"
    " * on (job, instance) group_left () (shipper_queue_entries{@} > bool 0)"
)


def lost(counter: str) -> str:
    """Return the lines a second that *counter* counts, by reason."""
    return f"sum by (reason) (rate({counter}{{@}}{RATE}))"


def often(counter: str, name: str, how: str = "increase") -> Query:
    """Ask how often *counter* went up, *how* it is counted."""
    return SHIPPER.over_time(
        f"sum by (instance) ({how}({counter}{{@}}{RATE}))", f"{PLACE} {name}"
    )


# The numbers that say whether log lines arrive.
LOST = (
    "sum(increase(shipper_gaps_total{@}[1h])"
    " + increase(shipper_files_lost_total{@}[1h]))"
)
GLANCE_ROW = (
    number(
        "Oldest line on the way",
        "Age of the oldest line that is read and not yet stored.",
        LATE,
        SHIPPER.now("max(shipper_oldest_unacknowledged_seconds{@})", "oldest"),
        to=SHIPPED,
    ),
    number(
        "Spool",
        "How full the fullest spool is. When it is full, Docker's files have to wait.",
        Scale("percentunit", above(0.5, 0.9), highest=1),
        SHIPPER.now(f"max({SPOOL})", "full"),
        to=SHIPPED,
    ),
    number(
        "Places with lost lines",
        "Places in the last hour where lines were gone before they could be read.",
        NEVER,
        SHIPPER.now(LOST, "lost"),
        to=SHIPPED,
    ),
)


# How far behind the lines are, and where they wait.
WAITING = "shipper_queue_bytes{@}"
DELAY_ROW = (
    graph(
        "Lag",
        "Age of the oldest line of each container or file that is not yet stored.",
        LATE,
        SHIPPER.over_time("topk(15, shipper_lag_seconds{@})", PLACE + " {{name}}"),
        to=SHIPPED,
    ),
    graph(
        "Since the store took something",
        "While lines wait: the time since each store last took a push. 0 without.",
        LATE,
        SHIPPER.over_time(AWAY, PLACE + " {{host}}"),
        to=STORED,
    ),
    graph(
        "Waiting in memory",
        "Memory held by lines that are read and neither stored nor given up.",
        BYTES,
        SHIPPER.over_time(WAITING, PLACE),
        to=SHIPPED,
    ),
    graph(
        "Spool",
        "Lines on the disk that found no room in memory, and how many may be there.",
        BYTES,
        SHIPPER.over_time("shipper_spool_bytes{@}", PLACE + " used"),
        SHIPPER.over_time("shipper_spool_limit_bytes{@}", PLACE + " limit"),
        to=SHIPPED,
    ),
)


# How many lines come and go, and how pushes end.
READ = f"sum(rate(promtail_docker_target_entries_total{{@}}{RATE}))"
SENT = f"sum by (host) (rate(promtail_sent_entries_total{{@}}{RATE}))"
PUSHES = (
    f"sum by (status_code) (rate(promtail_request_duration_seconds_count{{@}}{RATE}))"
)
SLOW = (
    "histogram_quantile(0.95, sum by (le) "
    f"(rate(promtail_request_duration_seconds_bucket{{@}}{RATE}))) >= 0"
)
FLOW_ROW = (
    graph(
        "Lines",
        "Lines read from Docker, and lines that each store took, in a second.",
        Scale("cps"),
        SHIPPER.over_time(READ, "read"),
        SHIPPER.over_time(SENT, "stored in {{host}}"),
        to=SHIPPED,
    ),
    stacked(
        "Pushes by answer",
        "204 is stored, 429 too much, 5xx and -1 are tried again.",
        Scale("reqps"),
        SHIPPER.over_time(PUSHES, "{{status_code}}"),
        to=SHIPPED,
    ),
    graph(
        "Time of a push",
        "19 of 20 pushes are faster.",
        Scale("s", above(1, 5)),
        SHIPPER.over_time(SLOW, "p95"),
        to=STORED,
    ),
    graph(
        "Lines that were not stored",
        "Lines given up or refused for good, by reason. They are lost.",
        Scale("cps", ZERO_IS_GOOD),
        SHIPPER.over_time(
            lost("promtail_dropped_entries_total"), "{{reason}} given up"
        ),
        SHIPPER.over_time(lost("shipper_refused_entries_total"), "{{reason}} refused"),
        SHIPPER.over_time(lost("shipper_limited_entries_total"), "{{reason}} limited"),
        to=SHIPPED,
    ),
)


# What goes wrong beside the lines.
KINDS = {
    "shipper_gaps_total": "gaps",
    "shipper_positions_failures_total": "positions not written",
    "shipper_spool_full_total": "spool full",
    "shipper_spool_errors_total": "spool not written",
    "shipper_spool_damaged_blocks_total": "spool damaged",
    "shipper_file_errors_total": "files not read",
}
SMALL = {
    "shipper_docker_reconnects_total": "connections lost",
    "shipper_duplicates_suppressed_total": "lines seen before",
    "shipper_truncated_lines_total": "lines cut",
    "promtail_batch_retries_total": "pushes tried again",
}
TROUBLE_ROW = (
    graph(
        "Trouble",
        "Positions that could not be written mean lines twice after a crash; gaps,"
        " damage and a full spool mean lines that are or will be lost.",
        NEVER,
        *(often(counter, name) for counter, name in KINDS.items()),
        to=SHIPPED,
    ),
    graph(
        "Not quite right",
        "What the shipper has put right by itself.",
        Scale("ops"),
        *(often(counter, name, "rate") for counter, name in SMALL.items()),
        to=SHIPPED,
    ),
)


# What the log store takes and holds; Loki, or the embedded one.
TOOK = f"sum by (instance) (rate(loki_distributor_lines_received_total{{@}}{RATE}))"
SIZE = f"sum by (instance) (rate(loki_distributor_bytes_received_total{{@}}{RATE}))"
STREAMS = "log_store_streams{@} or loki_ingester_memory_streams{@}"
REFUSED = f"sum by (reason) (rate(loki_discarded_samples_total{{@}}{RATE}))"
FAILED = f"rate(log_store_push_failures_total{{@}}{RATE})"
STORE_ROW = (
    graph(
        "Lines stored",
        "Lines that the store took in a second.",
        Scale("cps"),
        SHIPPER.over_time(TOOK, PLACE),
        to=STORED,
    ),
    graph(
        "Bytes stored",
        "Bytes of lines that the store took in a second. About 20 GB a day (230 kB/s)"
        " is where one Loki should become several.",
        Scale("Bps", above(230e3, 460e3)),
        SHIPPER.over_time(SIZE, PLACE),
        to=STORED,
    ),
    graph(
        "Streams",
        "Sets of labels that get lines. Thousands are a label with too many values.",
        Scale("short", above(2000, 4500), decimals=0),
        SHIPPER.over_time(STREAMS, PLACE),
        to=STORED,
    ),
    graph(
        "Size on the disk",
        "The file of the embedded store. Loki does not say how large it is: see the"
        " file systems of the host.",
        BYTES,
        SHIPPER.over_time("log_store_file_bytes{@}", PLACE),
        to=STORED,
    ),
    graph(
        "Refused by the store",
        "Lines that were over a limit, by reason, and pushes that the disk refused.",
        Scale("cps", ZERO_IS_GOOD),
        SHIPPER.over_time(REFUSED, "{{reason}}"),
        SHIPPER.over_time(f"sum by (instance) ({FAILED})", "disk"),
        to=STORED,
    ),
)
