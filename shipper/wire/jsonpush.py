"""The JSON push: ``{"streams":[{"stream":{…},"values":[["ns","line",{…}]]}]}``.

Loki reads it with jsoniter and jsonparser (pkg/loghttp/entry.go); where the body is
not of that shape this answers 400 with our own words around theirs.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from shipper.loki.encode import format_labels, utf8
from shipper.pipeline.entry import Entry, Metadata
from shipper.wire.errors import DecodeError
from shipper.wire.model import MAX_NS, MIN_NS, PushStream


# jsonparser's words for a value of another kind than the one asked for.
_NOT_STRING: Final = "Value is string, but can't find closing '\"' symbol"
_NOT_OBJECT: Final = "Value looks like object, but can't find closing '}' symbol"
_INTEGER: Final = re.compile(r"-?[0-9]{1,19}")


def decode_push(data: bytes) -> list[PushStream]:
    """Return the streams of the JSON push *data*. Raises DecodeError.

    A byte that is no UTF-8 becomes U+FFFD: JSON has no way to carry it.
    """
    try:
        document = json.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"loghttp.PushRequest: {error}") from None
    streams = _object(document, "loghttp.PushRequest").get("streams")
    return [
        _stream(item, f"loghttp.PushRequest.Streams[{index}]")
        for index, item in enumerate(_list(streams, "loghttp.PushRequest.Streams"))
    ]


def _stream(item: Any, where: str) -> PushStream:
    record = _object(item, where)
    labels = _object(record.get("stream"), f"{where}.stream")
    pairs = sorted((name, _text(value)) for name, value in labels.items())
    values = _list(record.get("values"), f"{where}.values")
    entries = [_entry(v, f"{where}.values[{n}]") for n, v in enumerate(values)]
    return PushStream(format_labels(tuple(pairs)), entries)


def _entry(item: Any, where: str) -> Entry:
    fields = _list(item, where)
    timestamp = _string(fields[0], where) if fields else "0"
    line = _string(fields[1], where) if len(fields) > 1 else ""
    metadata = _metadata(fields[2], where) if len(fields) > 2 else ()
    if _INTEGER.fullmatch(timestamp) is None:
        raise DecodeError(f"{where}: Value is not a number: {timestamp[:32]!r}")
    number = int(timestamp)
    if not MIN_NS <= number <= MAX_NS:
        raise DecodeError(f"{where}: Value overflows int64: {timestamp}")
    return Entry(number, utf8(line), metadata)


def _metadata(value: Any, where: str) -> Metadata:
    if not isinstance(value, dict):
        raise DecodeError(f"{where}: {_NOT_OBJECT}")
    return tuple(
        (_clean(name), _clean(_string(text, f"{where}.{name[:32]}")))
        for name, text in value.items()
    )


def _text(value: Any) -> str:
    """Return a label value as jsonparser.ParseString does: the raw text of others."""
    return _clean(value) if isinstance(value, str) else json.dumps(value)


def _object(value: Any, where: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise DecodeError(f"{where}: {_NOT_OBJECT}")
    return value


def _list(value: Any, where: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise DecodeError(f"{where}: Value is array, but can't find closing ']' symbol")
    return value


def _string(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise DecodeError(f"{where}: {_NOT_STRING}")
    return value


def _clean(text: str) -> str:
    r"""Return *text* with half a surrogate pair (``\ud800``) as U+FFFD, as Go."""
    return utf8(text).decode()
