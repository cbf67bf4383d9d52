"""The page ``/config``: the store's limits under Loki's names, for who pushes here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from exporters.toolkit.datasize import format_byte_size
from shipper.store.durations import format_duration
from shipper.store.limits import Limits
from shipper.store.settings import Settings


def config_page(settings: Settings) -> str:
    """Return what Loki's ``/config`` shows of a Loki with *settings*, as YAML.

    Only what the store has is there: one process, no file of other limits.
    """
    page: dict[str, Any] = {"target": "all"}
    if settings.auth_enabled:  # Loki leaves it out, too, when it is false
        page["auth_enabled"] = True
    page["limits_config"] = _limits(settings.limits)
    page["runtime_config"] = {"file": ""}
    return yaml.safe_dump(page, sort_keys=False)


def _limits(limits: Limits) -> Mapping[str, Any]:
    size, duration = format_byte_size, format_duration
    return {
        "ingestion_rate_mb": limits.ingestion_rate_mb,
        "ingestion_burst_size_mb": limits.ingestion_burst_mb,
        "max_label_name_length": limits.max_label_name_length,
        "max_label_value_length": limits.max_label_value_length,
        "max_label_names_per_series": limits.max_label_names_per_series,
        "reject_old_samples": limits.reject_old_samples,
        "reject_old_samples_max_age": duration(limits.reject_old_samples_max_age_ns),
        "creation_grace_period": duration(limits.creation_grace_period_ns),
        "max_line_size": size(limits.max_line_size_bytes),
        "max_line_size_truncate": False,
        "discover_service_name": list(limits.discover_service_name),
        "discover_log_levels": limits.discover_log_levels,
        "max_global_streams_per_user": limits.max_streams,
        "per_stream_rate_limit": size(limits.per_stream_rate_bytes),
        "per_stream_rate_limit_burst": size(limits.per_stream_burst_bytes),
        "max_query_series": limits.max_series,
        "max_query_length": duration(limits.max_query_length_ns),
        "max_concurrent_tail_requests": limits.max_tails,
        "max_entries_limit_per_query": limits.max_entries,
        "query_timeout": duration(limits.query_timeout_ns),
        "allow_structured_metadata": limits.allow_structured_metadata,
        "max_structured_metadata_size": size(limits.max_structured_metadata_bytes),
        "max_structured_metadata_entries_count": limits.max_structured_metadata_count,
    }
