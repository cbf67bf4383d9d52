"""Who asks nginx for what, from the lines of its access log."""

from __future__ import annotations

from deploy.dashboards import links
from deploy.dashboards.dress import COUNT, Scale
from deploy.dashboards.panels import bars, lines
from deploy.dashboards.queries import ERROR, Logs
from deploy.dashboards.traffic import SLOW


ACCESS = Logs('host=~"$host",compose_project=~"$project",job=~"$log_job"')
LOGS = links.logs("nginx", streams=True)
ERRORS = links.logs("nginx", level=ERROR, streams=True)
# Only the lines that are JSON: nginx writes its own errors beside them.
JSON = '{@} | json | __error__=""'


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
