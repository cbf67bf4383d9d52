"""Metrics about the program itself: build_info and promhttp_*.

Names and HELP texts are client_golang's, so dashboards about exporters keep
working. ``go_*`` families are left out: they describe Go's runtime, which is not
here, and a made-up number is worse than none.
Upstream counterparts: client_golang ``promhttp/http.go`` and ``collectors/version``.
"""

from __future__ import annotations

import functools
import time

from . import version
from .metric import CounterMetricFamily, GaugeMetricFamily, Metric


@functools.cache
def build_info(program: str) -> Metric:
    """Return ``<program>_build_info``, always 1, with upstream's labels."""
    labels = version.labels()
    family = GaugeMetricFamily(
        f"{program}_build_info",
        "A metric with a constant '1' value labeled by version, revision, branch, "
        f"goversion from which {program} was built, and the goos and goarch for the "
        "build.",
        labels=list(labels),
    )
    family.add_metric(list(labels.values()), 1)
    return family


class HandlerMetrics:
    """Count what the /metrics handler does (``promhttp_metric_handler_*``)."""

    def __init__(self) -> None:
        # Upstream creates these three at start, others when they first happen.
        self._requests = {200: 0, 500: 0, 503: 0}
        self._errors = {"encoding": 0, "gathering": 0}
        self._created = time.time()
        self._first: dict[int, float] = {}
        self.in_flight = 0
        self._errors_family = CounterMetricFamily(
            "promhttp_metric_handler_errors",
            "Total number of internal errors encountered by the promhttp metric "
            "handler.",
            labels=["cause"],
        )
        for cause, number in self._errors.items():
            self._errors_family.add_metric([cause], number, self._created)
        self._in_flight_family = GaugeMetricFamily(
            "promhttp_metric_handler_requests_in_flight",
            "Current number of scrapes being served.",
            0,
        )
        self._requests_family = self._new_requests_family()

    def _new_requests_family(self) -> Metric:
        family = CounterMetricFamily(
            "promhttp_metric_handler_requests",
            "Total number of scrapes by HTTP status code.",
            labels=["code"],
        )
        for status, number in self._requests.items():
            created = self._first.get(status, self._created)
            family.add_metric([str(status)], number, created)
        return family

    def count(self, status: int) -> None:
        """Count one request answered with *status*."""
        if status in self._requests:
            self._requests[status] += 1
            return
        self._first[status] = time.time()
        self._requests[status] = 1
        self._requests_family = self._new_requests_family()

    def count_error(self, cause: str) -> None:
        """Count one scrape with an error; *cause* is ``gathering`` or ``encoding``."""
        self._errors[cause] += 1

    def collect(self) -> tuple[Metric, ...]:
        """Return the families; the request being served is not yet counted.

        They are the same objects at each call, to be printed before the next one.
        """
        self._requests_family.values = list(self._requests.values())
        self._errors_family.values = list(self._errors.values())
        self._in_flight_family.values = [self.in_flight]
        return self._requests_family, self._errors_family, self._in_flight_family
