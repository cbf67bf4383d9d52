"""WordPress and its database: what they log, and what mysqld_exporter says."""

from __future__ import annotations

from grafana_foundation_sdk.models import dashboard

from deploy.dashboards import links, uids, variables
from deploy.dashboards.dress import COUNT, Scale
from deploy.dashboards.mysql import (
    CONNECTED,
    CONNECTIONS_ROW,
    ERRORS,
    FULL,
    LOGS,
    MEMORY_ROW,
    MYSQL,
    QUESTIONS_ROW,
    RATE,
    WAITING_ROW,
)
from deploy.dashboards.page import page
from deploy.dashboards.panels import histogram, lines, number, state
from deploy.dashboards.queries import ERROR, Logs
from deploy.dashboards.thresholds import ZERO_IS_GOOD, above, below


SITE = Logs('host=~"$host",compose_project=~"$project",job=~"$log_job"')
DATABASE = Logs('host=~"$host",compose_project=~"$project",job=~"$database_job"')
PHP = links.logs("wordpress", level=ERROR, streams=True)
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
        MYSQL.now("min(mysql_up{@})", "mysql"),
        to=LOGS,
    ),
    number(
        "Uptime",
        "Time since the database was started.",
        Scale("s", below(600, 60)),
        MYSQL.now("min(mysql_global_status_uptime{@})", "shortest"),
        to=LOGS,
    ),
    number(
        "Questions",
        "Statements in a second that clients sent.",
        Scale("ops"),
        MYSQL.now(GLANCE_RATE, "questions"),
        to=LOGS,
    ),
    number(
        "Connections used",
        "Share of max_connections. At 100 % WordPress shows an error to everybody.",
        FULL,
        MYSQL.now(f"max({CONNECTED})", "used"),
        to=LOGS,
    ),
    number(
        "Slow statements",
        "Statements in the last hour that took longer than long_query_time.",
        Scale("short", above(1, 20), decimals=0),
        MYSQL.now(SLOW, "slow"),
        to=LOGS,
    ),
    number(
        "Fatal errors of PHP",
        "Pages in the last hour that ended with a fatal error. No data: nothing at all"
        " was logged.",
        Scale("short", ZERO_IS_GOOD, decimals=0),
        SITE.now(FAILED, "fatal"),
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
