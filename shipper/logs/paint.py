"""Lines as text: for people, for grep (raw) and for programs (jsonl). Pure."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Final

from shipper.pipeline.entry import Labels

from .common import Common
from .lines import Line
from .safe import RESET, coloured, escaped, uncoloured
from .times import SECOND_NS


_DIM: Final = "\x1b[2m"
_PALETTE: Final = (36, 32, 33, 35, 34, 96, 92, 93, 95, 94)
_MOST_COLOURED: Final = 10_000
# JSON escapes below 0x20 by itself.
_JSON_UNSAFE: Final = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How lines are shown. *zone* None is this machine's; *plain*: text as it is."""

    output: str = "default"
    zone: tzinfo | None = UTC
    colours: bool = False
    plain: bool = False
    no_labels: bool = False
    include_common: bool = False
    include: Collection[str] = ()
    exclude: Collection[str] = ()


class Painter:
    """Turns lines into text, each with its newline."""

    def __init__(self, style: Style, common: Common) -> None:
        """Show with *style* the labels that *common* does not have."""
        self._style = style
        self._common = common
        self._colours: dict[Labels, int] = {}
        self._form = {"raw": self._raw, "jsonl": self._jsonl}.get(
            style.output, self._default
        )

    def line(self, line: Line) -> str:
        """Return *line* as text."""
        return self._form(line) + "\n"

    def labels(self, labels: Mapping[str, str]) -> str:
        """Return *labels* as LogQL writes them, without those not wanted."""
        return escaped(label_text(self._wanted(labels)))

    def _raw(self, line: Line) -> str:
        return line.text if self._style.plain else escaped(line.text)

    def _jsonl(self, line: Line) -> str:
        stamp = timestamp(line.timestamp_ns, self._style.zone, digits=9)
        fields: dict[str, object] = {"line": line.text, "timestamp": stamp}
        if not self._style.no_labels:
            fields = {"labels": self._wanted(line.everything), **fields}
        return to_json(fields)

    def _default(self, line: Line) -> str:
        style = self._style
        # Go's logcli trims, too; what is left may not break the line.
        text = line.text.rstrip()
        stamp = timestamp(line.timestamp_ns, style.zone, digits=3)
        labels = self._shown(line)
        if not style.colours:
            return f"{stamp} {labels}{' ' if labels else ''}{uncoloured(text)}"
        if labels:
            labels = f"\x1b[{self._colour(line.labels)}m{labels}{RESET} "
        return f"{_DIM}{stamp}{RESET} {labels}{coloured(text)}"

    def _colour(self, labels: Labels) -> int:
        """Return a stream's colour: the same at every start, unless it is taken."""
        taken = self._colours
        if labels not in taken:
            if len(taken) >= _MOST_COLOURED:
                taken.clear()
            start = zlib.crc32(repr(labels).encode(errors="replace"))
            turn = (_PALETTE[(start + n) % len(_PALETTE)] for n in range(len(_PALETTE)))
            used = set(taken.values())
            free = (colour for colour in turn if colour not in used)
            taken[labels] = next(free, _PALETTE[start % len(_PALETTE)])
        return taken[labels]

    def _shown(self, line: Line) -> str:
        style = self._style
        if style.no_labels:
            return ""
        labels = line.everything
        if not (style.include_common or style.include):
            labels = without_echoes(self._common.differing(labels))
        labels = self._wanted(labels)
        return escaped(label_text(labels)) if labels else ""

    def _wanted(self, labels: Mapping[str, str]) -> dict[str, str]:
        style = self._style
        return {
            name: labels[name]
            for name in sorted(labels)
            if name not in style.exclude
            and (not style.include or name in style.include)
        }


def without_echoes(labels: Mapping[str, str]) -> dict[str, str]:
    """Leave out what Loki adds by itself when it says nothing new.

    ``service_name`` with the value of another label, an unknown ``detected_level``.
    """
    shown = dict(labels)
    service = shown.pop("service_name", None)
    if service is not None and service not in shown.values():
        shown["service_name"] = service
    if shown.get("detected_level") == "unknown":
        del shown["detected_level"]
    return shown


def label_text(labels: Mapping[str, str]) -> str:
    """Return *labels* as LogQL writes them."""
    pairs = (
        f"{name}={json.dumps(value, ensure_ascii=False)}"
        for name, value in sorted(labels.items())
    )
    return f"{{{', '.join(pairs)}}}"


def to_json(value: object) -> str:
    """Return *value* as one line of JSON that a terminal may see."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return _JSON_UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def timestamp(ns: int, zone: tzinfo | None, *, digits: int) -> str:
    """Return RFC 3339 with *digits* of the second; 9: Go's RFC3339Nano, which trims."""
    seconds, nanos = divmod(ns, SECOND_NS)
    date, offset = _second(seconds, zone)
    fraction = f".{nanos:09d}"[: digits + 1]
    if digits == 9:
        fraction = fraction.rstrip("0").rstrip(".")
    return f"{date}{fraction}{offset}"


@lru_cache(maxsize=4096)
def _second(seconds: int, zone: tzinfo | None) -> tuple[str, str]:
    date = datetime.fromtimestamp(seconds, UTC).astimezone(zone)
    offset = f"{date:%z}"
    return (
        f"{date:%Y-%m-%dT%H:%M:%S}",
        "Z" if offset == "+0000" else f"{offset[:3]}:{offset[3:5]}",
    )
