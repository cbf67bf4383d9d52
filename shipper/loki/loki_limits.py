"""The limits of a Loki as far as they are known, from its own words.

Nothing is assumed: Loki's defaults would be wrong for a Loki with raised limits, and
what is not known to be refused is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from exporters.toolkit.datasize import parse_byte_size
from shipper.logql.duration import parse_prometheus_duration


@dataclass(frozen=True, slots=True)
class LokiLimits:
    """Limits of one tenant; None: not known, or Loki has none. Sizes are in bytes."""

    max_age_ns: int | None = None
    ahead_ns: int | None = None
    line_bytes: int | None = None
    label_names: int | None = None  # service_name does not count
    label_name_bytes: int | None = None
    label_value_bytes: int | None = None
    metadata_allowed: bool | None = None
    metadata_bytes: int | None = None
    metadata_pairs: int | None = None

    def under(self, newer: LokiLimits) -> LokiLimits:
        """Return what *newer* knows, and where it knows nothing what is known here."""
        values = {
            each.name: getattr(self, each.name) if value is None else value
            for each in fields(self)
            for value in [getattr(newer, each.name)]
        }
        return LokiLimits(**values)


UNKNOWN: Final = LokiLimits()


def read_limits(config: Mapping[Any, Any]) -> LokiLimits:
    """Return the limits in *config*, Loki's ``limits_config``.

    A key that is missing or says nothing intelligible is a limit that is not known.
    """

    def read(key: str, parse: Callable[[str], int], least: int = 1) -> int | None:
        try:
            value = parse(str(config[key]))
        except (KeyError, ValueError):
            return None
        return value if value >= least else None  # 0 switches it off

    allowed = config.get("allow_structured_metadata")
    return LokiLimits(
        max_age_ns=read("reject_old_samples_max_age", parse_prometheus_duration)
        if config.get("reject_old_samples") is True
        else None,
        ahead_ns=read("creation_grace_period", parse_prometheus_duration, 0),
        # A Loki that truncates refuses none for its size.
        line_bytes=read("max_line_size", parse_byte_size)
        if config.get("max_line_size_truncate") is not True
        else None,
        label_names=read("max_label_names_per_series", int),
        label_name_bytes=read("max_label_name_length", int),
        label_value_bytes=read("max_label_value_length", int),
        metadata_allowed=allowed if isinstance(allowed, bool) else None,
        metadata_bytes=read("max_structured_metadata_size", parse_byte_size),
        metadata_pairs=read("max_structured_metadata_entries_count", int),
    )
