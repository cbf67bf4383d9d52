"""Loki's default limits, each behind the flag that Loki has for it.

Counterpart of pkg/validation/limits.go (3.4). Sizes take ``256KB``, ages take ``7d``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from exporters.toolkit.datasize import format_byte_size, parse_byte_size
from exporters.toolkit.flags import Flag, Values, boolean, floating, integer, strings
from shipper.logql.duration import parse_prometheus_duration
from shipper.store.durations import format_duration
from shipper.store.service_name import DISCOVER_SERVICE_NAME
from shipper.wire.model import SECOND_NS


MIB: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """What one tenant may push and ask for. 0 switches most limits off, as in Loki."""

    reject_old_samples: bool = True
    reject_old_samples_max_age_ns: int = 7 * 86400 * SECOND_NS
    creation_grace_period_ns: int = 600 * SECOND_NS
    max_line_size_bytes: int = 256 * 1024
    max_label_names_per_series: int = 15
    max_label_name_length: int = 1024
    max_label_value_length: int = 2048
    allow_structured_metadata: bool = True
    max_structured_metadata_bytes: int = 64 * 1024
    max_structured_metadata_count: int = 128
    discover_service_name: tuple[str, ...] = DISCOVER_SERVICE_NAME
    discover_log_levels: bool = True
    ingestion_rate_mb: float = 4.0
    ingestion_burst_mb: float = 6.0
    per_stream_rate_bytes: int = 3 * MIB
    per_stream_burst_bytes: int = 15 * MIB
    max_streams: int = 5000
    max_chunk_age_ns: int = 2 * 3600 * SECOND_NS
    chunk_idle_ns: int = 1800 * SECOND_NS
    max_message_bytes: int = 4 * MIB
    max_body_bytes: int = 16 * MIB
    max_entries: int = 5000
    max_series: int = 500
    max_query_length_ns: int = 721 * 3600 * SECOND_NS
    query_timeout_ns: int = 60 * SECOND_NS
    max_tails: int = 10


def size(name: str, help_: str, default: int) -> Flag[int]:
    """Return a flag whose value is a size (``256KB``) in bytes."""
    shown = format_byte_size(default)
    return Flag(name, help_, default, parse_byte_size, placeholder=shown)


def age(name: str, help_: str, default_ns: int) -> Flag[int]:
    """Return a flag whose value is a duration (``7d``, ``1h30m``) in nanoseconds."""
    shown = format_duration(default_ns)
    return Flag(name, help_, default_ns, parse_prometheus_duration, placeholder=shown)


_D: Final = Limits()

# Field of Limits -> its flag.
_FLAGS: Final[dict[str, Flag[Any]]] = {
    "reject_old_samples": boolean(
        "validation.reject-old-samples",
        "Whether or not old samples will be rejected.",
        default=_D.reject_old_samples,
    ),
    "reject_old_samples_max_age_ns": age(
        "validation.reject-old-samples.max-age",
        "Maximum accepted sample age before rejecting.",
        _D.reject_old_samples_max_age_ns,
    ),
    "creation_grace_period_ns": age(
        "validation.create-grace-period",
        "How far in the future a line's timestamp may lie.",
        _D.creation_grace_period_ns,
    ),
    "max_line_size_bytes": size(
        "distributor.max-line-size",
        "Longest line that is accepted; 0 for no limit.",
        _D.max_line_size_bytes,
    ),
    "max_label_names_per_series": integer(
        "validation.max-label-names-per-series",
        "Maximum number of label names per stream, service_name not counted.",
        default=_D.max_label_names_per_series,
    ),
    "max_label_name_length": integer(
        "validation.max-length-label-name",
        "Maximum length accepted for label names.",
        default=_D.max_label_name_length,
    ),
    "max_label_value_length": integer(
        "validation.max-length-label-value",
        "Maximum length accepted for label values.",
        default=_D.max_label_value_length,
    ),
    "allow_structured_metadata": boolean(
        "validation.allow-structured-metadata",
        "Accept structured metadata beside a line.",
        default=_D.allow_structured_metadata,
    ),
    "max_structured_metadata_bytes": size(
        "limits.max-structured-metadata-size",
        "Maximum size of the structured metadata of a line; 0 for no limit.",
        _D.max_structured_metadata_bytes,
    ),
    "max_structured_metadata_count": integer(
        "limits.max-structured-metadata-entries-count",
        "Maximum number of structured metadata entries of a line; 0 for no limit.",
        default=_D.max_structured_metadata_count,
    ),
    "discover_service_name": strings(
        "validation.discover-service-name",
        "Label that service_name is taken from; repeat it, the first one set counts.",
        default=_D.discover_service_name,
    ),
    "discover_log_levels": boolean(
        "validation.discover-log-levels",
        "Add the level a line names, or seems to, as metadata detected_level.",
        default=_D.discover_log_levels,
    ),
    "ingestion_rate_mb": floating(
        "distributor.ingestion-rate-limit-mb",
        "Ingestion rate limit of a tenant in MB per second.",
        default=_D.ingestion_rate_mb,
    ),
    "ingestion_burst_mb": floating(
        "distributor.ingestion-burst-size-mb",
        "Ingestion burst of a tenant in MB: a larger push can never pass.",
        default=_D.ingestion_burst_mb,
    ),
    "per_stream_rate_bytes": size(
        "ingester.per-stream-rate-limit",
        "Maximum rate of a stream, per second.",
        _D.per_stream_rate_bytes,
    ),
    "per_stream_burst_bytes": size(
        "ingester.per-stream-rate-limit-burst",
        "Maximum burst of a stream.",
        _D.per_stream_burst_bytes,
    ),
    "max_streams": integer(
        "ingester.max-global-streams-per-user",
        "Maximum number of active streams of a tenant; 0 for no limit.",
        default=_D.max_streams,
    ),
    "max_chunk_age_ns": age(
        "ingester.max-chunk-age",
        "A line older than its stream's newest one by half of this is refused.",
        _D.max_chunk_age_ns,
    ),
    "chunk_idle_ns": age(
        "ingester.chunk-idle-period",
        "A stream without a new line for this long is no longer active.",
        _D.chunk_idle_ns,
    ),
    "max_message_bytes": size(
        "server.grpc-max-recv-msg-size-bytes",
        "Largest push, as protobuf; a larger one is answered 500 as Loki answers it.",
        _D.max_message_bytes,
    ),
    "max_body_bytes": size(
        "distributor.max-recv-msg-size",
        "Largest push body, before and after decompression; beyond it is 413.",
        _D.max_body_bytes,
    ),
    "max_entries": integer(
        "validation.max-entries-limit",
        "Maximum number of log entries that a query returns.",
        default=_D.max_entries,
    ),
    "max_series": integer(
        "querier.max-query-series",
        "Maximum number of series that a metric query returns.",
        default=_D.max_series,
    ),
    "max_query_length_ns": age(
        "store.max-query-length",
        "Longest time range of a query; 0 for no limit.",
        _D.max_query_length_ns,
    ),
    "query_timeout_ns": age(
        "querier.query-timeout",
        "Longest time a query may take.",
        _D.query_timeout_ns,
    ),
    "max_tails": integer(
        "querier.max-concurrent-tail-requests",
        "Maximum number of concurrent tail requests of a tenant.",
        default=_D.max_tails,
    ),
}

LIMIT_FLAGS: Final[tuple[Flag[Any], ...]] = tuple(_FLAGS.values())


def limits_from(values: Values) -> Limits:
    """Return the limits that the parsed command line *values* ask for."""
    pick: Callable[[Flag[Any]], Any] = values.__getitem__
    return Limits(**{field: pick(flag) for field, flag in _FLAGS.items()})
