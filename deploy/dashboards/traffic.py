"""Requests, errors and times of the access log, as two dashboards show them."""

from __future__ import annotations

from deploy.dashboards.dress import REQUESTS, Scale
from deploy.dashboards.links import Link
from deploy.dashboards.page import Panel
from deploy.dashboards.panels import COLORS, colored, graph, stacked
from deploy.dashboards.queries import Metrics
from deploy.dashboards.thresholds import above


RATE = "[$__rate_interval]"
FAILED = Scale("percentunit", above(0.01, 0.05), highest=1)
SLOW = Scale("s", above(1, 3))
ANSWERS = f"sum(rate(nginx_http_response_count_total{{@}}{RATE}))"
FAILURES = f'sum(rate(nginx_http_response_count_total{{@,status=~"5.."}}{RATE}))'
# Without a single 5xx there is no series of them: 0 is what the others times 0 are, and
# where there are no others nothing is known.
FAILED_SHARE = f"({FAILURES} or 0 * {ANSWERS}) / ({ANSWERS} > 0) or 0 * {ANSWERS}"


def answers(of: Metrics, to: Link) -> Panel:
    """Return the answers in a second, by the first digit of their status."""
    targets = [
        of.over_time(
            f'sum(rate(nginx_http_response_count_total{{@,status=~"{digit}.."}}{RATE}))'
            f" or 0 * {ANSWERS}",
            f"{digit}xx",
        )
        for digit in "2345"
    ]
    text = "Answers in a second. 4xx are wrong questions, 5xx are failures of the site."
    return colored(stacked("Answers", text, REQUESTS, *targets, to=to), COLORS)


def failed(of: Metrics, to: Link) -> Panel:
    """Return the share of the answers that are failures."""
    text = "Share of the answers that are 5xx."
    target = of.over_time(FAILED_SHARE, "5xx")
    return graph("Failed answers over time", text, FAILED, target, to=to)


def times(of: Metrics, to: Link) -> Panel:
    """Return the times within which half, most and nearly all answers are given."""
    text = (
        "Half of the answers are faster than p50, one of a hundred is slower than p99."
    )
    quantiles = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
    targets = [of.over_time(quantile(share), name) for name, share in quantiles.items()]
    return graph("Time of an answer", text, SLOW, *targets, to=to)


def quantile(share: float, family: str = "response_time") -> str:
    """Return the seconds within which this *share* of the requests is answered.

    Without a request it is NaN, which is no number to show: nothing is.
    """
    buckets = f"nginx_http_{family}_seconds_hist_bucket{{@}}"
    return f"histogram_quantile({share}, sum by (le) (rate({buckets}{RATE}))) >= 0"
