r"""The JSON of ``/api/prom/push`` (pkg/util/unmarshal/legacy, logproto's JSON names).

``{"streams":[{"labels":"{a=\"b\"}","entries":[{"ts":"RFC 3339","line":"…"}]}]}``
"""

from __future__ import annotations

import json
import re
from datetime import date
from typing import Any, Final

from shipper.loki.encode import utf8
from shipper.pipeline.entry import Entry
from shipper.wire.errors import DecodeError
from shipper.wire.model import PushStream


_TIME: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:[.,](\d+))?"
    r"([Zz]|[+-]\d\d:\d\d)",
    re.ASCII,
)
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()


def decode_legacy(data: bytes) -> list[PushStream]:
    """Return the streams of the push *data*. Raises DecodeError."""
    try:
        document = json.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"logproto.PushRequest: {error}") from None
    root = _kind(document, dict, "logproto.PushRequest")
    streams = root.get("streams")
    return [
        _stream(item, f"logproto.PushRequest.Streams[{index}]")
        for index, item in enumerate(_list(streams, "logproto.PushRequest.Streams"))
    ]


def _stream(item: Any, where: str) -> PushStream:
    record = _kind(item, dict, where)
    labels = _kind(record.get("labels", ""), str, f"{where}.labels")
    entries = _list(record.get("entries"), f"{where}.entries")
    return PushStream(
        utf8(labels).decode(),
        [_entry(e, f"{where}.entries[{n}]") for n, e in enumerate(entries)],
    )


def _entry(item: Any, where: str) -> Entry:
    record = _kind(item, dict, where)
    line = _kind(record.get("line", ""), str, f"{where}.line")
    time = _kind(record.get("ts", ""), str, f"{where}.ts")
    return Entry(_nanoseconds(time, where), utf8(line))


def _nanoseconds(text: str, where: str) -> int:
    match = _TIME.fullmatch(text)
    if match is None:
        raise DecodeError(f"{where}.ts: expected RFC 3339, got {text[:40]!r}")
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    try:
        days = date(year, month, day).toordinal() - _EPOCH_DAY
    except ValueError as error:
        raise DecodeError(f"{where}.ts: {text[:40]!r}: {error}") from None
    zone = match[8]
    offset = 0 if zone in "Zz" else int(zone[1:3]) * 3600 + int(zone[4:6]) * 60
    seconds = days * 86400 + hour * 3600 + minute * 60 + second
    seconds += offset if zone[0] == "-" else -offset
    return seconds * 1_000_000_000 + int((match[7] or "")[:9].ljust(9, "0"))


def _list(value: Any, where: str) -> list[Any]:
    return [] if value is None else _kind(value, list, where)


def _kind(value: Any, kind: type[Any], where: str) -> Any:
    if not isinstance(value, kind):
        raise DecodeError(f"{where}: expected {kind.__name__}, got {value!r:.40}")
    return value
