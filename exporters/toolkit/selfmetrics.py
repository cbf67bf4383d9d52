"""Metrics about the program itself: build_info and promhttp_*.

Names and HELP texts are client_golang's, so dashboards about exporters keep
working. ``go_*`` families are left out: they describe Go's runtime, which is not
here, and a made-up number is worse than none.
Upstream counterparts: client_golang ``promhttp/http.go`` and ``collectors/version``.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator
from contextlib import contextmanager

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

    @contextmanager
    def request(self) -> Iterator[None]:
        """Count one request as being served."""
        self.in_flight += 1
        try:
            yield
        finally:
            self.in_flight -= 1

    def count(self, status: int) -> None:
        """Count one request answered with *status*."""
        if status not in self._requests:
            self._first[status] = time.time()
        self._requests[status] = self._requests.get(status, 0) + 1

    def count_error(self, cause: str) -> None:
        """Count one scrape with an error; *cause* is ``gathering`` or ``encoding``."""
        self._errors[cause] += 1

    def collect(self) -> Iterator[Metric]:
        """Return the families; the request being served is not yet counted."""
        requests = CounterMetricFamily(
            "promhttp_metric_handler_requests",
            "Total number of scrapes by HTTP status code.",
            labels=["code"],
        )
        for status, number in self._requests.items():
            created = self._first.get(status, self._created)
            requests.add_metric([str(status)], number, created)
        errors = CounterMetricFamily(
            "promhttp_metric_handler_errors",
            "Total number of internal errors encountered by the promhttp metric "
            "handler.",
            labels=["cause"],
        )
        for cause, number in self._errors.items():
            errors.add_metric([cause], number, self._created)
        yield requests
        yield errors
        yield GaugeMetricFamily(
            "promhttp_metric_handler_requests_in_flight",
            "Current number of scrapes being served.",
            self.in_flight,
        )
