"""The labels of a stream, and metadata, within the limits of a Loki."""

from __future__ import annotations

from typing import Final, NamedTuple

from shipper.pipeline.entry import Labels, Metadata

from .encode import utf8
from .loki_limits import LokiLimits


SERVICE_NAME: Final = "service_name"
"""Loki gives it to every stream and does not count it."""

KEPT_FIRST: Final = (
    "job", "container_name", "container", SERVICE_NAME, "stream", "namespace", "pod",
    "host", "filename",
)  # fmt: skip
"""The labels people look for: of too many these stay, then the others by name."""

TOO_MANY: Final = "max_label_names_per_series"
NAME_TOO_LONG: Final = "label_name_too_long"
VALUE_TOO_LONG: Final = "label_value_too_long"
METADATA_DISALLOWED: Final = "disallowed_structured_metadata"
METADATA_TOO_LARGE: Final = "structured_metadata_too_large"
METADATA_TOO_MANY: Final = "structured_metadata_too_many"


class Shape(NamedTuple):
    """Labels that Loki takes, those it would refuse, and why, in Loki's words."""

    labels: Labels
    surplus: Metadata = ()
    reasons: tuple[str, ...] = ()


def shape(labels: Labels, limits: LokiLimits) -> Shape:
    """Return *labels*, sorted by name, within *limits*."""
    kept: list[tuple[str, str]] = []
    surplus: list[tuple[str, str]] = []
    reasons: dict[str, None] = {}
    for pair in labels:
        reason = _too_long(pair, limits)
        if reason:
            reasons[reason] = None
        (surplus if reason else kept).append(pair)
    most = limits.label_names
    counted = [pair for pair in kept if pair[0] != SERVICE_NAME]
    if most is not None and len(counted) > most:
        over = set(sorted(counted, key=_rank)[most:])
        surplus += [pair for pair in kept if pair in over]
        kept = [pair for pair in kept if pair not in over]
        reasons[TOO_MANY] = None
    return Shape(tuple(kept), tuple(surplus), tuple(reasons))


def metadata_refusal(metadata: Metadata, limits: LokiLimits) -> str | None:
    """Return why Loki would refuse a line with *metadata*, None if it would not."""
    if not metadata:
        return None
    if limits.metadata_allowed is False:
        return METADATA_DISALLOWED
    if limits.metadata_bytes and metadata_bytes(metadata) > limits.metadata_bytes:
        return METADATA_TOO_LARGE
    if limits.metadata_pairs and len(metadata) > limits.metadata_pairs:
        return METADATA_TOO_MANY
    return None


def metadata_bytes(metadata: Metadata) -> int:
    """Return the size of *metadata* as Loki counts it: names and values in UTF-8."""
    size = 0
    for name, value in metadata:
        size += len(name) if name.isascii() else len(utf8(name))
        size += len(value) if value.isascii() else len(utf8(value))
    return size


def _too_long(pair: tuple[str, str], limits: LokiLimits) -> str | None:
    name, value = pair
    most = limits.label_name_bytes
    if most is not None and len(name) > most:  # names are ASCII
        return NAME_TOO_LONG
    most = limits.label_value_bytes
    if most is not None and len(value) * 4 > most and len(utf8(value)) > most:
        return VALUE_TOO_LONG
    return None


def _rank(pair: tuple[str, str]) -> tuple[int, str]:
    name = pair[0]
    known = name in KEPT_FIRST
    return (KEPT_FIRST.index(name) if known else len(KEPT_FIRST), name)
