"""The encoder of each exposition format (prometheus/common ``expfmt``, NewEncoder).

Only text 0.0.4 is loaded before it is asked for: a module is memory.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable
from typing import Protocol

from . import exposition
from .escaping import Escaping
from .exposed import Exposed
from .gathering import Report
from .negotiation import Kind


class Encode(Protocol):
    """Encode *metrics*; see `exposition.encode` for the parameters."""

    def __call__(
        self,
        metrics: Iterable[Exposed],
        report: Report,
        names: Collection[str] | None,
        escaping: Escaping,
        /,
    ) -> bytes: ...


@functools.cache
def encoder(kind: Kind) -> Encode:
    """Return the encoder of the format *kind*."""
    if kind is Kind.TEXT:
        return exposition.encode
    if kind in {Kind.OPENMETRICS_0_0_1, Kind.OPENMETRICS_1_0_0}:
        from . import openmetrics  # noqa: PLC0415 -- see above

        return openmetrics.encode
    if kind is Kind.DELIMITED:
        from . import protobuf  # noqa: PLC0415 -- see above

        return protobuf.encode
    from . import prototext  # noqa: PLC0415 -- see above

    compact = kind is Kind.PROTO_COMPACT
    return functools.partial(prototext.encode, compact=compact)
