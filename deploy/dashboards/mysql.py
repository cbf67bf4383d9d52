"""MySQL as mysqld_exporter shows it."""

from __future__ import annotations

from deploy.dashboards import links
from deploy.dashboards.dress import BYTES, COUNT, Scale
from deploy.dashboards.panels import graph, stacked
from deploy.dashboards.queries import ERROR, Metrics
from deploy.dashboards.thresholds import above


MYSQL = Metrics('job=~"$job",instance=~"$instance"')
LOGS = links.logs("mysql", streams=True)
ERRORS = links.logs("mysql", level=ERROR, streams=True)
RATE = "[$__rate_interval]"
HIT = "{{instance}}"
CONNECTED = (
    "mysql_global_status_threads_connected{@}"
    " / mysql_global_variables_max_connections{@}"
)
FULL = Scale("percentunit", above(0.7, 0.9), highest=1)


# What is asked of the database.
COMMANDS = f"sum by (command) (rate(mysql_global_status_commands_total{{@}}{RATE}))"
SENT = f"sum(rate(mysql_global_status_bytes_sent{{@}}{RATE}))"
RECEIVED = f"sum(rate(mysql_global_status_bytes_received{{@}}{RATE}))"
QUESTIONS_SLOW = f"rate(mysql_global_status_slow_queries{{@}}{RATE})"
QUESTIONS_ROW = (
    stacked(
        "Statements by kind",
        "The kinds of statements that are most frequent.",
        Scale("ops"),
        MYSQL.over_time(f"topk(8, {COMMANDS})", "{{command}}"),
        to=LOGS,
    ),
    graph(
        "Slow statements",
        "Statements in a second that took longer than long_query_time.",
        Scale("ops", above(0.1, 1)),
        MYSQL.over_time(QUESTIONS_SLOW, HIT),
        to=LOGS,
    ),
    graph(
        "Traffic",
        "Bytes to and from the clients.",
        Scale("Bps"),
        MYSQL.over_time(SENT, "sent"),
        MYSQL.over_time(RECEIVED, "received"),
        to=LOGS,
    ),
)


# The connections, and those that failed.
CONNECTIONS_ERRORS = (
    f"sum by (error) (rate(mysql_global_status_connection_errors_total{{@}}{RATE}))"
)
ABORTED = f"rate(mysql_global_status_aborted_connects{{@}}{RATE})"
LOST = f"rate(mysql_global_status_aborted_clients{{@}}{RATE})"
MOST = "mysql_global_variables_max_connections{@}"
CONNECTIONS_ROW = (
    graph(
        "Connections",
        "Clients that are connected, those with a statement at work, and the limit.",
        COUNT,
        MYSQL.over_time("mysql_global_status_threads_connected{@}", HIT + " connected"),
        MYSQL.over_time("mysql_global_status_threads_running{@}", HIT + " at work"),
        MYSQL.over_time(MOST, HIT + " limit"),
        to=LOGS,
    ),
    graph(
        "Failed connections",
        "Clients that were not let in or went without a word, and errors by kind.",
        Scale("cps", above(0.1, 1)),
        MYSQL.over_time(ABORTED, HIT + " not let in"),
        MYSQL.over_time(LOST, HIT + " went away"),
        MYSQL.over_time(CONNECTIONS_ERRORS, "{{error}}"),
        to=ERRORS,
    ),
)


# How well InnoDB's memory serves.
READ = f"rate(mysql_global_status_innodb_buffer_pool_reads{{@}}{RATE})"
WANTED = f"rate(mysql_global_status_innodb_buffer_pool_read_requests{{@}}{RATE})"
PAGES = (
    'sum by (state) (mysql_global_status_buffer_pool_pages{@,state!="old"}'
    " * on (job, instance) group_left () mysql_global_status_innodb_page_size{@})"
)
MEMORY_ROW = (
    graph(
        "Reads that miss InnoDB's memory",
        "Share of the reads for which the disk was needed. Much of it, for long:"
        " innodb_buffer_pool_size is too small for the data in use.",
        Scale("percentunit", above(0.02, 0.1)),
        MYSQL.over_time(f"{READ} / ({WANTED} > 0) or {WANTED}", HIT),
        to=LOGS,
    ),
    stacked(
        "InnoDB's memory",
        "The buffer pool, by what is in it.",
        BYTES,
        MYSQL.over_time(PAGES, "{{state}}"),
        to=LOGS,
    ),
)


# What statements wait for.
MADE = f"rate(mysql_global_status_created_tmp_tables{{@}}{RATE})"
ON_DISK = f"rate(mysql_global_status_created_tmp_disk_tables{{@}}{RATE})"
LOCKED = f"rate(mysql_global_status_innodb_row_lock_waits{{@}}{RATE})"
TABLES = f"rate(mysql_global_status_table_locks_waited{{@}}{RATE})"
WRITTEN = f"rate(mysql_global_status_innodb_os_log_written{{@}}{RATE})"
WAITING_ROW = (
    graph(
        "Waits for locks",
        "Statements in a second that had to wait for a row or a table.",
        Scale("ops", above(1, 10)),
        MYSQL.over_time(LOCKED, HIT + " row"),
        MYSQL.over_time(TABLES, HIT + " table"),
        to=LOGS,
    ),
    graph(
        "Temporary tables",
        "Made in a second, in memory or not, and those of them on the disk.",
        Scale("ops"),
        MYSQL.over_time(MADE, HIT + " made"),
        MYSQL.over_time(ON_DISK, HIT + " on disk"),
        to=LOGS,
    ),
    graph(
        "Redo log",
        "Bytes written to InnoDB's redo log: how much the data changes.",
        Scale("Bps"),
        MYSQL.over_time(WRITTEN, HIT),
        to=LOGS,
    ),
)
