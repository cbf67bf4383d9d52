r"""Read a line that is one JSON object, as a ``log_format`` with braces prints it.

With ``escape=json`` nginx prints valid JSON, apart from bytes that are no UTF-8, as
long as the format has quotes where they are needed. Without them there is ``009``, a
list of times, or nothing at all; with ``escape=default`` there is ``\x22``. None of it
is JSON, and it costs upstream the line.
Upstream counterpart: prometheus-nginxlog-exporter ``pkg/parser/jsonparser``; nginx
source: src/core/ngx_string.c ngx_escape_json, src/http/modules/ngx_http_log_module.c.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Final, NoReturn

from exporters.nginx.access_log.lines.layout import Layout, layout
from exporters.nginx.access_log.lines.relabel import Rule


# A line with other members than any of so many before is laid out anew.
_REMEMBERED: Final = 100
_BLANK: Final = " \t\r\n"
# A pair, so that an escaped backslash before an "x" stays one.
_ESCAPE: Final = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|.)", re.DOTALL)
# A string, then a value that has no quotes, if there is one: up to the next member or
# the end of the object. A string that does not end is taken, too: once is enough.
_BARE: Final = re.compile(
    rb'("[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?$))'
    rb'(?:(\s{0,9}:\s{0,9})(?=[^\s"{\[])([^,}"]*+(?:,(?!\s?")[^,}"]*+)*+))?',
    re.DOTALL,
)


class JsonReader:
    """Read lines of JSON for the labels of *rules*."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = rules
        self._layouts: dict[tuple[str, ...], Layout] = {}

    def read(self, line: bytes) -> tuple[Layout, dict[str, object]] | None:
        """Return the members of the object in *line*; None if it holds no object."""
        record = parse(line)
        if record is None:
            return None
        found = self._layouts.get(tuple(record))
        if found is None:
            record = _flat(record)
            names = tuple(record)
            found = self._layouts.get(names) or self._lay_out(names)
        return found, record

    def why_not(self, line: bytes) -> str:
        """Say why *line* cannot be read, without showing any of it."""
        try:
            json.loads(line.decode("utf-8", "replace"))
        except json.JSONDecodeError as error:
            return f"expected one JSON object: {error}"
        except (ValueError, RecursionError):
            pass
        return "expected one JSON object"

    def _lay_out(self, names: tuple[str, ...]) -> Layout:
        if len(self._layouts) >= _REMEMBERED:
            self._layouts.clear()
        found = layout(self._rules, {name: name for name in names})
        self._layouts[names] = found
        return found


def parse(line: bytes) -> dict[str, object] | None:
    """Return the members of the object in *line*, None if it holds no object.

    Of two members with one name the last counts. Bytes that are no UTF-8 become
    U+FFFD; numbers stay as they are written. What should have quotes is read as if it
    had them.
    """
    record = _decode(line)
    if record is None and b"\\x" in line:
        line = _ESCAPE.sub(_as_json, line)
        record = _decode(line)
    if record is None and line.lstrip()[:1] == b"{":
        record = _decode(_BARE.sub(_quoted, line))
    return record


def _decode(line: bytes) -> dict[str, object] | None:
    # 4.6 µs of 630 bytes with 22 members on CPython 3.11.7, half of what a line
    # costs. json.loads would take 7.1 µs: it guesses the encoding.
    text = line.decode("utf-8", "replace").lstrip(_BLANK)
    try:
        value, end = _DECODER.raw_decode(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or text[end:].strip(_BLANK):
        return None
    return value


def _as_json(escape: re.Match[bytes]) -> bytes:
    if escape[1] is None:
        return escape[0]
    code = int(escape[1], 16)
    return b"\\u%04x" % code if code < 0x80 else bytes((code,))


def _quoted(member: re.Match[bytes]) -> bytes:
    name, colon, value = member.groups()
    if value is None or value.strip() in {b"true", b"false", b"null"}:
        return member[0]
    return b'%s%s"%s"' % (name, colon, value.strip())


def _flat(record: dict[str, object]) -> dict[str, object]:
    """Return *record* with the members of the objects in it; the outer ones win."""
    found: dict[str, object] = {}
    objects: list[dict[str, object]] = [record]
    for each in objects:  # grows
        for name, value in each.items():
            if isinstance(value, dict):
                objects.append(value)
            else:
                found.setdefault(name, value)
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


# Tabs in a string are no JSON either, but what escape=none leaves can be read.
_DECODER: Final = json.JSONDecoder(
    strict=False, parse_constant=_refuse, parse_int=str, parse_float=str
)
