"""RFC 5424 messages: bytes in, `Message` out, nothing but ParseError raised.

What is accepted is what go-syslog accepts (rfc5424/machine.go.rl): at most six digits
of a second, no leap second, a priority of 0 to 191 without leading zeros; the text may
be anything, a byte order mark stays in it. 8 s of CPU per million messages of
150 bytes on a busy machine.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Final

from shipper.syslog.message import Message, ParseError, StructuredData


_PRI: Final = rb"<(0|[1-9][0-9]?|1[0-8][0-9]|19[01])>"
_VERSION: Final = rb"([1-9][0-9]{0,2}) "
_TIME: Final = (
    rb"(?:-|([0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    rb"T([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])(?:\.([0-9]{1,6}))?"
    rb"(Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])) "
)
_HEADER: Final = re.compile(
    _PRI + _VERSION + _TIME + rb"([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) "
    rb"([!-~]{1,32}) "
)
# The same, piece by piece, to say which one is wrong.
_PIECES: Final = (
    (re.compile(_PRI), "a priority between angle brackets, 0 to 191"),
    (re.compile(_VERSION), "a version, 1 to 999, and a space"),
    (re.compile(_TIME), "a timestamp as 2006-01-02T15:04:05.999999Z or -"),
    (re.compile(rb"[!-~]{1,255} "), "a hostname of 1 to 255 ASCII characters or -"),
    (re.compile(rb"[!-~]{1,48} "), "an app-name of 1 to 48 ASCII characters or -"),
    (re.compile(rb"[!-~]{1,128} "), "a procid of 1 to 128 ASCII characters or -"),
    (re.compile(rb"[!-~]{1,32} "), "a msgid of 1 to 32 ASCII characters or -"),
)
_NAME: Final = rb"[!#-<>-\\^-~]{1,32}"
_VALUE: Final = rb'"([^"\\\]]*(?:\\["\\\]][^"\\\]]*)*)"'
_PARAM: Final = re.compile(rb" (" + _NAME + rb")=" + _VALUE)
_ID: Final = re.compile(rb"\[(" + _NAME + rb")")
_ESCAPED: Final = re.compile(r"\\([\"\\\]])")
_TO_ESCAPE: Final = re.compile(r"[\"\\\]]")
_DATA: Final = 'structured data as [id name="value"] or -'
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()


def parse_rfc5424(data: bytes) -> Message:
    """Return the message that *data*, a frame without its framing, is.

    Raises ParseError.
    """
    header = _HEADER.match(data)
    if header is None:
        raise _wrong_header(data)
    structured, at = _structured_data(data, header.end())
    if data[at : at + 1] not in {b"", b" "}:
        raise _expected(_DATA, at)
    groups = header.groups()
    hostname, app_name, proc_id, msg_id = map(_field, groups[10:])
    timestamp_ns, timestamp = _time(groups[2:10])
    return Message(
        int(groups[0]), timestamp_ns, hostname, app_name, proc_id, msg_id,
        data[at + 1 :], structured, timestamp, int(groups[1]),
    )  # fmt: skip


def format_rfc5424(message: Message) -> bytes:
    """Return *message* in full, as go-syslog writes it: what is in brackets sorted.

    Unlike there, a value keeps its characters beyond ASCII.
    """
    data = "".join(
        f"[{name}{''.join(_param(*pair) for pair in sorted(params))}]"
        for name, params in sorted(message.structured_data)
    )
    fields = (
        message.timestamp, message.hostname, message.app_name, message.proc_id,
        message.msg_id, data,
    )  # fmt: skip
    header = " ".join(field or "-" for field in fields)
    text = b" " + message.text if message.text else b""
    return f"<{message.priority}>{message.version} {header}".encode() + text


def _param(name: str, value: str) -> str:
    escaped = _TO_ESCAPE.sub(r"\\\g<0>", value)
    return f' {name}="{escaped}"'


def _field(value: bytes) -> str:
    return "" if value == b"-" else value.decode("ascii")


def _time(groups: tuple[bytes | None, ...]) -> tuple[int | None, str]:
    """Return nanoseconds since 1970, and the time as Go prints it again."""
    if groups[0] is None:
        return None, ""
    year, month, day, hour, minute, second, fraction, zone = (
        (part or b"").decode() for part in groups
    )
    try:
        days = date(int(year), int(month), int(day)).toordinal() - _EPOCH_DAY
    except ValueError as error:
        raise ParseError(f"timestamp {year}-{month}-{day}: {error}") from None
    offset = 0
    if zone != "Z":
        offset = int(zone[1:3]) * 3600 + int(zone[4:6]) * 60
        offset = -offset if zone[0] == "-" else offset
    clock = int(hour) * 3600 + int(minute) * 60 + int(second) - offset
    nanos = int(fraction.ljust(9, "0"))
    shown = f"{year}-{month}-{day}T{hour}:{minute}:{second}"
    if fraction := fraction.rstrip("0"):
        shown += f".{fraction}"
    seconds = days * 86400 + clock
    return seconds * 1_000_000_000 + nanos, shown + (zone if offset else "Z")


def _structured_data(data: bytes, at: int) -> tuple[StructuredData, int]:
    """Return the elements that begin at *at*, and where they end."""
    if data.startswith(b"-", at):
        return (), at + 1
    elements: dict[str, Mapping[str, str]] = {}
    start = at
    while match := _ID.match(data, at):
        name = match[1].decode("ascii")
        if name in elements:
            raise ParseError(f"duplicate structured data element {name} at byte {at}")
        elements[name], at = _params(data, match.end())
    if at == start:
        raise _expected(_DATA, at)
    return tuple((k, tuple(v.items())) for k, v in elements.items()), at


def _params(data: bytes, at: int) -> tuple[Mapping[str, str], int]:
    """Return the parameters at *at* and what comes after their bracket."""
    params: dict[str, str] = {}
    while match := _PARAM.match(data, at):
        try:
            value = match[2].decode()
        except UnicodeDecodeError:
            raise _expected("a parameter in UTF-8", at) from None
        params[match[1].decode("ascii")] = _ESCAPED.sub(r"\1", value)
        at = match.end()
    if not data.startswith(b"]", at):
        raise _expected(_DATA, at)
    return params, at + 1


def _wrong_header(data: bytes) -> ParseError:
    at = 0
    for pattern, what in _PIECES:
        match = pattern.match(data, at)
        if match is None:
            return _expected(what, at)
        at = match.end()
    return _expected(_DATA, at)


def _expected(what: str, at: int) -> ParseError:
    return ParseError(f"expected {what} at byte {at}")
