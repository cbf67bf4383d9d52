"""WordPress and its database: what they log, and what mysqld_exporter says."""

from __future__ import annotations

from grafana_foundation_sdk.models import dashboard

from deploy.dashboards import links, uids, variables
from deploy.dashboards.dress import BYTES, COUNT, Scale
from deploy.dashboards.page import page
from deploy.dashboards.panels import graph, histogram, lines, number, stacked, state
from deploy.dashboards.queries import ERROR, Logs, Metrics
from deploy.dashboards.thresholds import ZERO_IS_GOOD, above, below


MYSQL = Metrics('job=~"$job",instance=~"$instance"')
SITE = Logs('host=~"$host",compose_project=~"$project",job=~"$log_job"')
DATABASE = Logs('host=~"$host",compose_project=~"$project",job=~"$database_job"')
LOGS = links.logs("mysql", streams=True)
ERRORS = links.logs("mysql", level=ERROR, streams=True)
PHP = links.logs("wordpress", level=ERROR, streams=True)
RATE = "[$__rate_interval]"
HIT = "{{instance}}"
CONNECTED = (
    "mysql_global_status_threads_connected{@}"
    " / mysql_global_variables_max_connections{@}"
)
FULL = Scale("percentunit", above(0.7, 0.9), highest=1)
# How PHP begins its messages, whatever comes before.
MESSAGES = {
    "fatal": "PHP (Fatal|Parse|Recoverable fatal) error",
    "warning": "PHP Warning",
    "notice": "PHP (Notice|Deprecated)",
    "database": "WordPress database error",
}


def build() -> dashboard.Dashboard:
    """Return the dashboard."""
    return page(
        uids.WORDPRESS,
        "What WordPress and MySQL log, and MySQL's own numbers.",
        [
            *variables.targets("mysql_up"),
            *variables.streams("wordpress"),
            variables.service("database_job", "Database log job", "mysql"),
        ],
        [
            ("At a glance", GLANCE_ROW),
            ("WordPress", SITE_ROW),
            ("MySQL: questions", [*QUESTIONS_ROW, *CONNECTIONS_ROW]),
            ("MySQL: memory and disk", [*MEMORY_ROW, *WAITING_ROW]),
            ("MySQL: log", DATABASE_ROW),
        ],
    )


# The numbers that say whether the database is well.
GLANCE_RATE = f"sum(rate(mysql_global_status_questions{{@}}{RATE}))"
SLOW = "sum(increase(mysql_global_status_slow_queries{@}[1h]))"
# All lines less the others: 0, not nothing, while there are lines and none is fatal.
FAILED = (
    "sum(count_over_time({@} [1h]))"
    f" - sum(count_over_time({{@}} !~ `{MESSAGES['fatal']}` [1h]))"
)
GLANCE_ROW = (
    state(
        "MySQL",
        "Whether the exporter can ask the database.",
        MYSQL.over_time("min(mysql_up{@})", "mysql"),
        to=LOGS,
    ),
    number(
        "Uptime",
        "Time since the database was started.",
        Scale("s", below(600, 60)),
        MYSQL.over_time("min(mysql_global_status_uptime{@})", "shortest"),
        to=LOGS,
    ),
    number(
        "Questions",
        "Statements in a second that clients sent.",
        Scale("ops"),
        MYSQL.over_time(GLANCE_RATE, "questions"),
        to=LOGS,
    ),
    number(
        "Connections used",
        "Share of max_connections. At 100 % WordPress shows an error to everybody.",
        FULL,
        MYSQL.over_time(f"max({CONNECTED})", "used"),
        to=LOGS,
    ),
    number(
        "Slow statements",
        "Statements in the last hour that took longer than long_query_time.",
        Scale("short", above(1, 20), decimals=0),
        MYSQL.over_time(SLOW, "slow"),
        to=LOGS,
    ),
    number(
        "Fatal errors of PHP",
        "Pages in the last hour that ended with a fatal error. No data: nothing at all"
        " was logged.",
        Scale("short", ZERO_IS_GOOD, decimals=0),
        SITE.over_time(FAILED, "fatal"),
        to=PHP,
    ),
)


# What WordPress and PHP complain about.
COMPLAINTS = [
    SITE.over_time(f"sum(count_over_time({{@}} |~ `{text}` [$__interval]))", name)
    for name, text in MESSAGES.items()
]
ANYTHING = "|".join(MESSAGES.values())
PER_CONTAINER = "sum by (container_name) (count_over_time({@} [$__interval]))"
SITE_ROW = (
    histogram(
        "Complaints of PHP and WordPress",
        "Lines by what they begin with. Nothing is good.",
        Scale("short", decimals=0),
        *COMPLAINTS,
        to=PHP,
    ),
    histogram(
        "Lines of each container",
        "How much each container of the site writes.",
        COUNT,
        SITE.over_time(PER_CONTAINER, "{{container_name}}"),
        to=links.logs("wordpress", streams=True),
    ),
    lines(
        "Complaints",
        "The newest of the lines that are counted above.",
        SITE.lines(f"{{@}} |~ `{ANYTHING}`"),
    ),
    lines(
        "All lines of PHP",
        "Everything that WordPress and PHP wrote.",
        SITE.lines("{@}"),
    ),
)


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


# The lines of the database.
COUNTED = "sum by (container_name) (count_over_time({@} |~ `%s` [$__interval]))"
NAME = "{{container_name}}"
BAD = r"\[(ERROR|Warning)\]|Aborted connection|Access denied"
DATABASE_ROW = (
    histogram(
        "Errors and warnings",
        "Lines of the database by their level.",
        COUNT,
        DATABASE.over_time(COUNTED % r"\[ERROR\]", NAME + " error"),
        DATABASE.over_time(COUNTED % r"\[Warning\]", NAME + " warning"),
        to=ERRORS,
    ).span(24),
    lines(
        "Newest errors and warnings",
        "Errors, warnings, and clients that were refused or lost.",
        DATABASE.lines(f"{{@}} |~ `{BAD}`"),
    ),
    lines(
        "All lines of MySQL",
        "Everything that the database wrote.",
        DATABASE.lines("{@}"),
    ),
)
