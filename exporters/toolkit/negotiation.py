"""Choose the exposition format and the escaping of names by the Accept header.

OpenMetrics, which node_exporter never serves, goes to a client that takes nothing
else, and with ``--web.enable-openmetrics`` to everyone who prefers it: Prometheus does,
and its series would keep their names, but the metadata of counters would not.
Upstream counterpart: prometheus/common ``expfmt/encode.go``, Negotiate.
"""

from __future__ import annotations

import enum
import functools
from dataclasses import dataclass

from .accept import Clause, parse_accept
from .escaping import Escaping


_PROTOBUF = "application/vnd.google.protobuf"
_FAMILY = "io.prometheus.client.MetricFamily"
_OPENMETRICS = "application/openmetrics-text"
_TEXT_VERSIONS = frozenset({"0.0.4", ""})
# Nothing said means the older one, as upstream.
_OPENMETRICS_VERSIONS = {"1.0.0": "1.0.0", "0.0.1": "0.0.1", "": "0.0.1"}


class Kind(enum.Enum):
    """The formats there are; the value is the Content-Type without the escaping."""

    TEXT = "text/plain; version=0.0.4; charset=utf-8"
    OPENMETRICS_1_0_0 = f"{_OPENMETRICS}; version=1.0.0; charset=utf-8"
    OPENMETRICS_0_0_1 = f"{_OPENMETRICS}; version=0.0.1; charset=utf-8"
    DELIMITED = f"{_PROTOBUF}; proto={_FAMILY}; encoding=delimited"
    PROTO_TEXT = f"{_PROTOBUF}; proto={_FAMILY}; encoding=text"
    PROTO_COMPACT = f"{_PROTOBUF}; proto={_FAMILY}; encoding=compact-text"


_ENCODINGS = {
    "delimited": Kind.DELIMITED,
    "text": Kind.PROTO_TEXT,
    "compact-text": Kind.PROTO_COMPACT,
}


@dataclass(frozen=True, slots=True)
class Format:
    """What a client is answered with."""

    kind: Kind = Kind.TEXT
    escaping: Escaping = Escaping.UNDERSCORES

    @property
    def content_type(self) -> str:
        """The Content-Type."""
        return f"{self.kind.value}; escaping={self.escaping.value}"


@functools.lru_cache(maxsize=16)
def negotiate(accept: str, *, openmetrics: bool = False) -> Format:
    """Return the format for a client that sends the header *accept*.

    With *openmetrics*, a client that prefers OpenMetrics to text is given it. What
    scrapers send is the same each time: remembered, it takes 0.2 us in place of 25.
    """
    escaping = Escaping.UNDERSCORES
    clauses = parse_accept(accept)
    openmetrics = openmetrics or not any(_takes_text(clause) for clause in clauses)
    for clause in clauses:
        # Also of a clause that is not taken: so Prometheus 3 says what it wants.
        escaping = _escaping(clause, escaping)
        kind = _kind(clause)
        if kind is not None and (
            openmetrics or not kind.value.startswith(_OPENMETRICS)
        ):
            return Format(kind, escaping)
    return Format(Kind.TEXT, escaping)


def _takes_text(clause: Clause) -> bool:
    return clause.kind in {"text", "*"}


def _kind(clause: Clause) -> Kind | None:
    version = clause.parameters.get("version", "")
    if clause.media == "text/plain" and version in _TEXT_VERSIONS:
        return Kind.TEXT
    if clause.media == _PROTOBUF and clause.parameters.get("proto") == _FAMILY:
        return _ENCODINGS.get(clause.parameters.get("encoding", ""))
    if clause.media == _OPENMETRICS and version in _OPENMETRICS_VERSIONS:
        latest = _OPENMETRICS_VERSIONS[version] == "1.0.0"
        return Kind.OPENMETRICS_1_0_0 if latest else Kind.OPENMETRICS_0_0_1
    return None


def _escaping(clause: Clause, before: Escaping) -> Escaping:
    try:
        return Escaping(clause.parameters.get("escaping", ""))
    except ValueError:  # unknown or not said
        return before
