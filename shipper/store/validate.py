"""What Loki's distributor checks before anything is stored (pkg/distributor, 3.4).

Pure: streams and the time in, accepted streams and refusals out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from shipper.loki.encode import format_labels
from shipper.pipeline.entry import Entry, Labels
from shipper.store.durations import rfc3339
from shipper.store.levels import with_levels
from shipper.store.limits import Limits
from shipper.store.model import (
    SERVICE_NAME,
    Refusal,
    Stream,
    entry_bytes,
    metadata_bytes,
    total_bytes,
)
from shipper.store.service_name import with_service_name
from shipper.wire.labels import LabelError, parse_labels
from shipper.wire.model import MAX_NS, MIN_NS, PushStream


NO_STREAMS: Final = "error at least one valid stream is required for ingestion"


def parse_streams(pushed: Iterable[PushStream], limits: Limits) -> list[Stream]:
    """Return *pushed* with labels parsed and service_name added.

    Raises LabelError for the first label text that does not parse: Loki refuses the
    whole push then (``couldn't parse labels: …``).
    """
    return [_parsed(stream, limits) for stream in pushed]


def _parsed(stream: PushStream, limits: Limits) -> Stream:
    try:
        labels = parse_labels(stream.labels_text)
    except LabelError as error:
        raise LabelError(f"couldn't parse labels: {error}") from None
    labels = with_service_name(labels, limits.discover_service_name)
    return Stream(labels, format_labels(labels), stream.entries)


def validate(
    streams: Iterable[Stream], limits: Limits, now_ns: int
) -> tuple[list[Stream], list[Refusal]]:
    """Return what of *streams* may be stored, and a refusal per bad stream or line.

    A stream without entries is left out without a word, as Loki does.
    """
    accepted: list[Stream] = []
    refusals: list[Refusal] = []
    for stream in streams:
        if not stream.entries:
            continue
        bad = _label_refusal(stream, limits)
        if bad is not None:
            refusals.append(bad)
            continue
        entries = _valid_entries(stream, limits, now_ns, refusals)
        if entries:
            accepted.append(stream._replace(entries=entries))
    return accepted, refusals


def grouped(texts: Sequence[str]) -> str:
    """Return *texts* as Loki joins validation errors (util.GroupedErrors).

    One text stands alone; several kinds read ``2 errors like: A; 1 errors like: B``.
    """
    counts = Counter(texts)
    if len(texts) == 1:
        return texts[0]
    return "; ".join(f"{count} errors like: {text}" for text, count in counts.items())


def _label_refusal(stream: Stream, limits: Limits) -> Refusal | None:
    found = _label_error(stream.labels, stream.text, limits)
    if found is None:
        return None
    reason, text = found
    entries = stream.entries
    return Refusal(400, text, reason, len(entries), total_bytes(entries))


def _label_error(labels: Labels, text: str, limits: Limits) -> tuple[str, str] | None:
    if not labels:
        missing = "error at least one label pair is required per stream"
        return "missing_labels", missing
    names = [name for name, _ in labels]
    count = len(names) - (SERVICE_NAME in names)
    allowed = limits.max_label_names_per_series
    if count > allowed:
        many = f"entry for stream '{text}' has {count} label names; limit {allowed}"
        return "max_label_names_per_series", many
    last = ""
    for name, value in labels:
        if len(name.encode()) > limits.max_label_name_length:
            long = f"stream '{text}' has label name too long: '{name}'"
            return "label_name_too_long", long
        if len(value.encode()) > limits.max_label_value_length:
            long = f"stream '{text}' has label value too long: '{value}'"
            return "label_value_too_long", long
        if name == last:
            twice = f"stream '{text}' has duplicate label name: '{name}'"
            return "duplicate_label_names", twice
        last = name
    return None


def _valid_entries(
    stream: Stream, limits: Limits, now_ns: int, refusals: list[Refusal]
) -> list[Entry]:
    oldest = now_ns - limits.reject_old_samples_max_age_ns
    if not limits.reject_old_samples:
        oldest = MIN_NS
    newest = min(now_ns + limits.creation_grace_period_ns, MAX_NS)
    longest = limits.max_line_size_bytes or MAX_NS
    accepted = []
    for entry in stream.entries:
        timestamp, line, metadata = entry
        if oldest <= timestamp <= newest and len(line) <= longest and not metadata:
            accepted.append(entry)  # nearly all of them
            continue
        found = _entry_error(entry, stream.text, limits, (oldest, newest))
        if found is None:
            accepted.append(entry)
        else:
            refusals.append(Refusal(400, found[1], found[0], 1, entry_bytes(entry)))
    if limits.discover_log_levels and limits.allow_structured_metadata:
        return with_levels(stream.labels, accepted)
    return accepted


def _entry_error(
    entry: Entry, text: str, limits: Limits, window: tuple[int, int]
) -> tuple[str, str] | None:
    timestamp, line, metadata = entry
    oldest, newest = window
    if timestamp < oldest:
        return "greater_than_max_sample_age", (
            f"entry for stream '{text}' has timestamp too old: {rfc3339(timestamp)}, "
            f"oldest acceptable timestamp is: {rfc3339(oldest)}"
        )
    if timestamp > newest:
        return "too_far_in_future", (
            f"entry for stream '{text}' has timestamp too new: {rfc3339(timestamp)}"
        )
    size = limits.max_line_size_bytes
    if size and len(line) > size:
        return "line_too_long", (
            f"Max entry size '{size}' bytes exceeded for stream '{text}' "
            f"while adding an entry with length '{len(line)}' bytes"
        )
    return _metadata_error(metadata, text, limits) if metadata else None


def _metadata_error(
    metadata: Sequence[tuple[str, str]], text: str, limits: Limits
) -> tuple[str, str] | None:
    advice = "or contact your Loki administrator to"
    if not limits.allow_structured_metadata:
        return "disallowed_structured_metadata", (
            f"stream '{text}' includes structured metadata, but this feature is "
            "disallowed. Please see `limits_config.allow_structured_metadata` "
            f"{advice} enable it."
        )
    size, most = metadata_bytes(tuple(metadata)), limits.max_structured_metadata_bytes
    if most and size > most:
        return "structured_metadata_too_large", (
            f"stream '{text}' has structured metadata too large: '{size}' bytes, "
            f"limit: '{most}' bytes. Please see "
            f"`limits_config.max_structured_metadata_size` {advice} increase it."
        )
    count, most = len(metadata), limits.max_structured_metadata_count
    if most and count > most:
        return "structured_metadata_too_many", (
            f"stream '{text}' has too many structured metadata labels: '{count}', "
            f"limit: '{most}'. Please see "
            f"`limits_config.max_structured_metadata_entries_count` {advice} "
            "increase it."
        )
    return None
