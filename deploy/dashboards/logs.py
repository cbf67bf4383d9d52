"""Container logs: by service, container, stream, level and text."""

from __future__ import annotations

from grafana_foundation_sdk.models import dashboard

from deploy.dashboards import links, uids, variables
from deploy.dashboards.dress import COUNT, Scale
from deploy.dashboards.page import page
from deploy.dashboards.panels import bars, colored, histogram, lines
from deploy.dashboards.queries import ERROR, WARNING, Logs
from deploy.dashboards.thresholds import ZERO_IS_GOOD


# A label that another shipper does not set is empty, and `.*` takes that too; the one
# that must be there is the container's name.
CHOSEN = Logs(
    'container_name=~"$container",job=~"$job",compose_project=~"$project",'
    'host=~"$host",stream=~"$stream"'
)
# As they are: Grafana would put a backslash before each quote.
FILTERS = "|= `${search:raw}` |~ `${level:raw}`"
LEVELS = {
    "all": ".*",
    "error": ERROR,
    "warning": WARNING,
    "error or warning": f"{ERROR}|{WARNING}",
    "info": r"(?i)\b(info|note|notice)\b",
    "debug": r"(?i)\b(debug|trace)\b",
}
HERE = links.logs_of_container()


def build() -> dashboard.Dashboard:
    """Return the dashboard."""
    text = (
        "Every line of every container. The level is what the line says of itself in"
        " words, so that it works for every format; `error` also takes answers 5xx of"
        " nginx. The text is searched as it is written, letter by letter."
    )
    return page(
        uids.LOGS, text, choices(), [("How much", VOLUME_ROW), ("Lines", FOUND_ROW)]
    )


def choices() -> list[variables.Variable]:
    """Return what narrows the lines down, from the host to the text."""
    jobs = '{host=~"$host",compose_project=~"$project",container_name=~".+"}'
    names = (
        '{host=~"$host",compose_project=~"$project",job=~"$job",container_name=~".+"}'
    )
    containers = variables.loki("container", "Container", "container_name", names)
    streams = '{container_name=~"$container",container_name=~".+"}'
    return [
        *variables.places(),
        variables.loki("job", "Service", "job", jobs),
        containers.all_value(".+"),
        variables.loki("stream", "Stream", "stream", streams),
        variables.one_of("level", "Level", LEVELS),
        variables.text_box("search", "Text"),
    ]


# How many lines there are, of whom and how bad.
COUNTED = f"sum by (container_name) (count_over_time({{@}} {FILTERS} [$__interval]))"
STDERR = (
    'sum by (container_name) (count_over_time({@,stream="stderr"} '
    f"{FILTERS} [$__interval]))"
)
LEVEL = f"sum(count_over_time({{@}} {FILTERS} |~ `%s` [$__interval]))"
SIZE = "topk(10, sum by (container_name) (bytes_over_time({@} [$__range])))"
NAME = "{{container_name}}"
BY_LEVEL = histogram(
    "Errors and warnings",
    "Lines that say of themselves that they are errors, or warnings.",
    Scale("short", ZERO_IS_GOOD, decimals=0),
    CHOSEN.over_time(LEVEL % ERROR, "error"),
    CHOSEN.over_time(LEVEL % WARNING, "warning"),
    to=links.logs(level=LEVELS["error or warning"]),
)
VOLUME_ROW = (
    histogram(
        "Lines",
        "Lines of each container that match.",
        COUNT,
        CHOSEN.over_time(COUNTED, NAME),
        to=HERE,
    ),
    colored(BY_LEVEL, {"error": "red", "warning": "orange"}),
    histogram(
        "Lines on stderr",
        "Lines that match and came on stderr. Some programs write everything there.",
        COUNT,
        CHOSEN.over_time(STDERR, NAME),
        to=HERE,
    ),
    bars(
        "Volume",
        "Who writes most in the time shown, whatever level and text are chosen: what"
        " fills the store.",
        Scale("bytes"),
        CHOSEN.now(SIZE, NAME),
        to=HERE,
    ),
)


# The lines that match.
TEXT = "The newest lines that match, 1000 at most. A line opens to show its labels."
FOUND_ROW = (
    lines("Log lines", TEXT, CHOSEN.lines(f"{{@}} {FILTERS}", 1000)).height(22),
)
