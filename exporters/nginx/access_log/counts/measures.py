"""What is measured of a request, and the families that show it.

Names and HELP texts: prometheus-nginxlog-exporter ``pkg/metrics/collection_init.go``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from exporters.nginx.access_log.counts.amounts import number, total
from exporters.nginx.access_log.counts.meters import Meter, Size, Timing
from exporters.nginx.access_log.lines.fields import names_of


@dataclass(frozen=True, slots=True)
class Measure:
    """The value that *parse* finds in one of *fields*, shown as the family *name*.

    *kind* is ``size``, a sum of bytes; ``time``, seconds as a summary and as a
    histogram whose name ends in ``_hist``; or ``histogram``, the latter alone.
    """

    name: str
    help: str
    kind: str
    fields: tuple[str, ...]
    parse: Callable[[object], float | None] = number

    def meter(self, bounds: tuple[float, ...]) -> Meter:
        """Return a new meter; *bounds* are those of histograms, in seconds."""
        if self.kind == "size":
            return Size()
        return Timing(bounds, with_quantiles=self.kind == "time")


COUNT_NAME: Final = "http_response_count_total"
COUNT_HELP: Final = "Amount of processed HTTP requests"
ERRORS_NAME: Final = "parse_errors_total"
ERRORS_HELP: Final = "Total number of log file lines that could not be parsed"

MEASURES: Final = (
    Measure(
        "http_response_size_bytes",
        "Total amount of transferred bytes",
        "size",
        names_of("body_bytes_sent"),
    ),
    Measure(
        "http_request_size_bytes",
        "Total amount of received bytes",
        "size",
        names_of("request_length"),
    ),
    Measure(
        "http_response_time_seconds",
        "Time needed by NGINX to handle requests",
        "time",
        names_of("request_time"),
    ),
    Measure(
        "http_upstream_time_seconds",
        "Time needed by upstream servers to handle requests",
        "time",
        names_of("upstream_response_time"),
        total,
    ),
    Measure(
        "http_upstream_connect_time_seconds",
        "Time needed to connect to upstream servers",
        "time",
        names_of("upstream_connect_time"),
        total,
    ),
    Measure(  # ours: upstream does not read it
        "http_upstream_header_time_seconds",
        "Time until upstream servers had sent the response header",
        "histogram",
        names_of("upstream_header_time"),
        total,
    ),
)
