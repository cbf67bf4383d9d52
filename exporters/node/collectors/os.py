"""The distribution's name and version (node_exporter collector/os_release.go)."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from exporters.node import procfs
from exporters.node.registry import Collect, CollectorSpec, Context, NoData
from exporters.toolkit.metric import GaugeMetricFamily, Metric


_FILES = ("/etc/os-release", "/usr/lib/os-release")
_LABELS = (
    "build_id",
    "id",
    "id_like",
    "image_id",
    "image_version",
    "name",
    "pretty_name",
    "variant",
    "variant_id",
    "version",
    "version_codename",
    "version_id",
)
_KEY = re.compile(r"(?:export )?\s*([A-Za-z_][A-Za-z0-9_./]*)")
_MAJOR_MINOR = re.compile(r"[0-9]+\.?[0-9]*")
# One piece of a shell-like value: "...", '...', a comment, or bare characters.
_PIECE = re.compile(
    r"""
    "(?P<double>(?:[^"\\]|\\.)*)"
    | '(?P<single>[^']*)'
    | (?P<comment>[ \t]*\#.*)
    | (?P<bare>[^"'\#])
    """,
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)")
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


@functools.lru_cache(maxsize=1)  # it is the same for months
def parse(data: bytes) -> Mapping[str, str]:
    """Return the variables of an os-release file (os-release(5)).

    Raises ValueError for a line that is neither empty, a comment nor KEY=value.
    """
    values: dict[str, str] = {}
    for number, raw in procfs.lines(data):
        line = procfs.text(raw).strip()
        if line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        key = _KEY.fullmatch(name.strip())
        if not equals or not key:
            raise ValueError(f"os-release:{number}: expected KEY=value, got {line!r}")
        values[key[1]] = _unquote(value.strip(), number)
    return values


def version(release: Mapping[str, str]) -> float:
    """Return the "major.minor" that VERSION_ID begins with, or 0."""
    found = _MAJOR_MINOR.match(release.get("VERSION_ID", ""))
    return float(found[0]) if found else 0.0


def support_end(release: Mapping[str, str]) -> float | None:
    """Return SUPPORT_END, a date at 00:00 UTC, as a Unix time; None without one.

    Raises ValueError.
    """
    date = release.get("SUPPORT_END")
    if not date:
        return None
    try:
        return datetime.strptime(date, "%Y-%m-%d").replace(tzinfo=UTC).timestamp()
    except ValueError as error:
        raise ValueError(
            f"os-release: expected SUPPORT_END=YYYY-MM-DD, got {date!r}"
        ) from error


def create(context: Context) -> Collect:
    """Return the collector of os-release, read again for every scrape."""
    paths = tuple(context.paths.root(path) for path in _FILES)

    def collect() -> Iterator[Metric]:
        release = parse(_first(paths))
        end = support_end(release)
        yield _info(release)
        if number := version(release):
            family = GaugeMetricFamily(
                "node_os_version",
                "Metric containing the major.minor part of the OS version.",
                labels=["id", "id_like", "name"],
            )
            labels = [release.get(key, "") for key in ("ID", "ID_LIKE", "NAME")]
            family.add_metric(labels, number)
            yield family
        if end is not None:
            yield GaugeMetricFamily(
                "node_os_support_end_timestamp_seconds",
                "Metric containing the end-of-life date timestamp of the OS.",
                end,
            )

    return collect


def _first(paths: tuple[str, ...]) -> bytes:
    for path in paths:
        data = procfs.read_optional(path)
        if data is not None:
            return data
    raise NoData(f"no os-release file found: {', '.join(paths)}")


def _info(release: Mapping[str, str]) -> Metric:
    family = GaugeMetricFamily(
        "node_os_info",
        "A metric with a constant '1' value labeled by " + ", ".join(_LABELS) + ".",
        labels=_LABELS,
    )
    family.add_metric([release.get(label.upper(), "") for label in _LABELS], 1)
    return family


def _unquote(value: str, number: int) -> str:
    pieces: list[str] = []
    position = 0
    while position < len(value):
        piece = _PIECE.match(value, position)
        if piece is None:
            raise ValueError(f"os-release:{number}: expected a closing {value!r}")
        position = piece.end()
        if piece["double"] is not None:
            pieces.append(_unescaped(piece["double"]))
        elif piece["comment"] is None:
            pieces.append(piece["single"] or piece["bare"] or "")
    return "".join(pieces)


def _unescaped(text: str) -> str:
    def character(match: re.Match[str]) -> str:
        escaped = match[1]
        if len(escaped) > 1:
            return chr(int(escaped[1:], 16))
        return _ESCAPES.get(escaped, escaped)

    replaced = _ESCAPE.sub(character, text)
    # Two \\u may be the halves of one character; a half alone is none.
    return replaced.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


COLLECTOR = CollectorSpec("os", create)
