"""Loki's JSON (pkg/util/marshal, pkg/logqlmodel/stats; 3.4)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import Any, Final

from shipper.pipeline.entry import Labels
from shipper.store.query.found import FoundLine, FoundStream
from shipper.store.query.steps import Series, Steps


CATEGORIZE_LABELS: Final = "categorize-labels"
FLAGS_HEADER: Final = "X-Loki-Response-Encoding-Flags"

_CHUNK: Final = dict.fromkeys(
    (
        "headChunkBytes", "headChunkLines", "decompressedBytes", "decompressedLines",
        "compressedBytes", "totalDuplicates", "postFilterLines",
        "headChunkStructuredMetadataBytes", "decompressedStructuredMetadataBytes",
    ),
    0,
)  # fmt: skip
_STORE: Final[dict[str, Any]] = {
    "totalChunksRef": 0,
    "totalChunksDownloaded": 0,
    "chunksDownloadTime": 0,
    "queryReferencedStructuredMetadata": False,
    "chunk": _CHUNK,
    "chunkRefsFetchTime": 0,
    "congestionControlLatency": 0,
    "pipelineWrapperFilteredLines": 0,
}
_CACHE: Final = dict.fromkeys(
    (
        "entriesFound", "entriesRequested", "entriesStored", "bytesReceived",
        "bytesSent", "requests", "downloadTime", "queryLengthServed",
    ),
    0,
)  # fmt: skip
_CACHES: Final = (
    "chunk", "index", "result", "statsResult", "volumeResult", "seriesResult",
    "labelResult", "instantMetricResult",
)  # fmt: skip


def dumps(value: Any) -> bytes:
    """Return *value* as compact JSON with the newline Loki ends its answers with."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "replace") + b"\n"


def streams(found: Sequence[FoundStream], seconds: float, *, categorize: bool) -> bytes:
    """Return the answer to a log query that took *seconds*."""
    size = sum(len(entry.line) for stream in found for entry in stream.entries)
    lines = sum(len(stream.entries) for stream in found)
    data: dict[str, Any] = {"resultType": "streams"}
    if categorize:
        data["encodingFlags"] = [CATEGORIZE_LABELS]
    data["result"] = [stream_value(stream, categorize=categorize) for stream in found]
    data["stats"] = stats(seconds, lines, size)
    return dumps({"status": "success", "data": data})


def stream_value(stream: FoundStream, *, categorize: bool) -> dict[str, Any]:
    """Return one stream as Loki writes it."""
    return {
        "stream": dict(stream.labels),
        "values": [_entry(entry, categorize) for entry in stream.entries],
    }


def matrix(found: Iterable[Series], steps: Steps, seconds: float) -> bytes:
    """Return the answer to a metric range query: series by their labels."""
    times = [milliseconds(time) for time in steps.times()]
    result = [
        {
            "metric": dict(series.labels),
            "values": [[times[n], number(v)] for n, v in sorted(series.values.items())],
        }
        for series in sorted(found, key=lambda series: series.labels)
    ]
    return _result("matrix", result, seconds)


def vector(found: Iterable[tuple[Labels, float]], time: int, seconds: float) -> bytes:
    """Return the answer to a metric instant query, in the order given."""
    result = [
        {"metric": dict(labels), "value": [milliseconds(time), number(value)]}
        for labels, value in found
    ]
    return _result("vector", result, seconds)


def scalar(value: float, time: int, seconds: float) -> bytes:
    """Return the answer to an instant query that is one number."""
    return _result("scalar", [milliseconds(time), number(value)], seconds)


def plain(data: Any) -> bytes:
    """Return an answer whose data stands alone (labels, series)."""
    return dumps({"status": "success", "data": data})


def number(value: float) -> str:
    """Return *value* as Prometheus prints a sample: Go's shortest 'f' form."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    text = repr(value)
    return _unscientific(text) if "e" in text else text.removesuffix(".0")


def milliseconds(time: int) -> float | int:
    """Return *time*, nanoseconds, as seconds with at most three decimals."""
    whole, rest = divmod(time // 1_000_000, 1000)
    return whole + rest / 1000 if rest else whole


def stats(seconds: float, lines: int, size: int) -> dict[str, Any]:
    """Return the statistics object. Only the summary says something here."""
    took = seconds or 1e-9
    return {
        "summary": {
            "bytesProcessedPerSecond": int(size / took),
            "linesProcessedPerSecond": int(lines / took),
            "totalBytesProcessed": size,
            "totalLinesProcessed": lines,
            "execTime": seconds,
            "queueTime": 0,
            "subqueries": 0,
            "totalEntriesReturned": lines,
            "splits": 0,
            "shards": 0,
            "totalPostFilterLines": lines,
            "totalStructuredMetadataBytesProcessed": 0,
        },
        "querier": {"store": _STORE},
        "ingester": {
            "totalReached": 0,
            "totalChunksMatched": 0,
            "totalBatches": 0,
            "totalLinesSent": 0,
            "store": _STORE,
        },
        "cache": dict.fromkeys(_CACHES, _CACHE),
        "index": {
            "totalChunks": 0,
            "postFilterChunks": 0,
            "shardsDuration": 0,
            "usedBloomFilters": False,
        },
    }


def _result(kind: str, result: Any, seconds: float) -> bytes:
    data = {"resultType": kind, "result": result, "stats": stats(seconds, 0, 0)}
    return dumps({"status": "success", "data": data})


def _entry(entry: FoundLine, categorize: bool) -> list[Any]:
    value: list[Any] = [str(entry.timestamp_ns), entry.line.decode("utf-8", "replace")]
    if categorize:
        apart: dict[str, dict[str, str]] = {}
        if entry.metadata:
            apart["structuredMetadata"] = dict(entry.metadata)
        if entry.parsed:
            apart["parsed"] = dict(entry.parsed)
        value.append(apart)
    return value


def _unscientific(text: str) -> str:
    """Return *text*, a float with an exponent, without one, as Go's 'f' format."""
    digits, _, exponent = text.partition("e")
    sign = "-" if digits.startswith("-") else ""
    whole, _, fraction = digits.lstrip("-").partition(".")
    fraction = "" if fraction == "0" else fraction
    shift = int(exponent)
    if shift < 0:
        return f"{sign}0.{'0' * (-shift - 1)}{whole}{fraction}"
    return f"{sign}{whole}{fraction.ljust(shift, '0')}"
