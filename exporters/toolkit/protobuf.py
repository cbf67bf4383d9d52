"""Write metrics as delimited protobuf messages ``io.prometheus.client.MetricFamily``.

Upstream counterpart: prometheus/common ``expfmt/encode.go``.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Iterator

from .escaping import Escaping
from .exposed import Exposed
from .gathering import Report, gather
from .pages import Pages
from .wire import varint
from .wireform import WireForm


def encode(
    metrics: Iterable[Exposed],
    report: Report,
    names: Collection[str] | None = None,
    escaping: Escaping = Escaping.UNDERSCORES,
) -> bytes:
    """Return *metrics*, each family after its length; see `exposition.encode`."""
    return b"".join(
        [
            varint(len(message)) + message
            for message in messages(metrics, report, names, escaping)
        ]
    )


def messages(
    metrics: Iterable[Exposed],
    report: Report,
    names: Collection[str] | None,
    escaping: Escaping,
) -> Iterator[bytes]:
    """Return one message MetricFamily for each family."""
    pages = _pages(escaping)
    for group in gather(metrics, report, names):
        yield pages.body(group, report)


@functools.cache
def _pages(escaping: Escaping) -> Pages[bytes]:
    return Pages(WireForm(escaping))
