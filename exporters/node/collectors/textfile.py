"""Metrics from files that other programs write (collector/textfile.go)."""

from __future__ import annotations

import glob
import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from exporters.node import textformat
from exporters.node.errno_text import error_text
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.node.textfamilies import convert
from exporters.node.textformat import Family
from exporters.toolkit.flags import strings
from exporters.toolkit.gotext import quote


log = logging.getLogger(__name__)

DIRECTORY = strings(
    "collector.textfile.directory",
    "Directory to read text files with metrics from, supports glob matching."
    " (repeatable)",
)

_SUFFIX = ".prom"
_CHUNK = 65_536
_NANOSECONDS = 10**9


class File(NamedTuple):
    """One good file: its path and its age in whole seconds, as upstream cuts it."""

    path: str
    mtime_seconds: int
    families: list[Family]


@dataclass(slots=True)
class Findings:
    """What one scrape found in all files."""

    files: list[File] = field(default_factory=list)
    families: list[Family] = field(default_factory=list)
    failed: bool = False


def create(context: Context) -> Collect:
    """Return the collector; directories are looked for at each scrape."""
    patterns = context.values[DIRECTORY]

    def collect() -> Iterator[Metric]:
        found = read_all(patterns)
        yield from map(convert, found.families)
        yield from own_families(found)

    return collect


def read_all(patterns: Iterable[str]) -> Findings:
    """Return what is in the ``*.prom`` files of the directories of *patterns*.

    Never raises: what cannot be read or is not in the format is logged with its
    file and line, left out whole, and marks the findings as failed.
    """
    found = Findings()
    for directory in (d for pattern in patterns for d in expand(pattern)):
        for path in _list_files(directory, found):
            try:
                found.files.append(read_file(path))
            except (OSError, ValueError) as error:
                found.failed = True
                _log_error("failed to collect textfile data", file=path, err=error)
    _merge(found)
    return found


def expand(pattern: str) -> Sequence[str]:
    """Return the directories that *pattern* matches, itself where it matches none."""
    # Go's filepath.Match negates a class with ^, Python's glob with !.
    matches = glob.glob(pattern.replace("[^", "[!"), include_hidden=True)
    return sorted(matches) or [pattern]


def _list_files(directory: str, found: Findings) -> list[str]:
    if not directory:  # the default: no directory at all
        return []
    try:
        names = sorted(os.listdir(directory), key=os.fsencode)
    except OSError as error:
        found.failed = True
        reason = f"open {directory}: {error_text(error)}"
        _log_error(
            "failed to read textfile collector directory", path=directory, err=reason
        )
        return []
    return [_join(directory, name) for name in names if name.endswith(_SUFFIX)]


def _join(directory: str, name: str) -> str:
    path = os.path.normpath(os.path.join(directory, name))
    return path[1:] if path.startswith("//") else path  # Go cleans that, too


def read_file(path: str) -> File:
    """Return the families of the file at *path*.

    Raises OSError and ValueError, with texts that name the file and the line.
    """
    data, mtime_seconds = _read(path)
    try:
        families = textformat.parse(data)
    except ValueError as error:
        raise ValueError(
            f"failed to parse textfile data from {quote(path)}: {error}"
        ) from error
    if any(family.has_timestamps for family in families):
        raise ValueError(
            f"textfile {quote(path)} contains unsupported client-side timestamps,"
            " skipping entire file"
        )
    return File(path, mtime_seconds, families)


def _read(path: str) -> tuple[bytes, int]:
    try:
        # A FIFO without a writer would block, and so would everything after it.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        reason = f"open {path}: {error_text(error)}"
        raise ValueError(
            f"failed to open textfile data file {quote(path)}: {reason}"
        ) from error
    try:
        chunks = iter(lambda: os.read(descriptor, _CHUNK), b"")
        data = b"".join(chunks)
        # Only now: a file that cannot be read must not look fresh.
        return data, os.fstat(descriptor).st_mtime_ns // _NANOSECONDS
    except OSError as error:
        reason = f"read {path}: {error_text(error)}"
        raise ValueError(
            f"failed to parse textfile data from {quote(path)}: {reason}"
        ) from error
    finally:
        os.close(descriptor)


def _merge(found: Findings) -> None:
    """Put the families of all files together; of different HELP texts the first wins.

    A family whose text differs is left out, and so is that family in every later
    file, as upstream does it. Where no file has a text, the files are named.
    """
    help_texts: dict[str, str] = {}
    sources: dict[str, list[str]] = {}
    disputed: set[str] = set()
    for file in found.files:
        for family in file.families:
            first = help_texts.get(family.name)
            differs = None not in {first, family.help} and first != family.help
            if differs or family.name in disputed:
                disputed.add(family.name)
                found.failed = True
                _log_error(
                    "inconsistent metric help text",
                    metric=family.name,
                    original_help_text=first,
                    new_help_text=family.help,
                    file=sources[family.name][0],
                )
                continue
            if family.help is not None:
                help_texts[family.name] = family.help
            sources.setdefault(family.name, []).append(file.path)
            found.families.append(family)
    for family in found.families:
        unnamed = f"Metric read from {', '.join(sources[family.name])}"
        family.help = help_texts.get(family.name, unnamed)


def own_families(found: Findings) -> Iterator[Metric]:
    """Yield the age of each good file and whether all were good."""
    mtime = GaugeMetricFamily(
        "node_textfile_mtime_seconds",
        "Unixtime mtime of textfiles successfully read.",
        labels=("file",),
    )
    ages = {_shown(file.path): file.mtime_seconds for file in found.files}
    for path, seconds in ages.items():
        mtime.add_metric((path,), seconds)
    if mtime.samples:
        yield mtime
    yield GaugeMetricFamily(
        "node_textfile_scrape_error",
        "1 if there was an error opening or reading a file, 0 otherwise",
        int(found.failed),
    )


def _shown(path: str) -> str:
    return os.fsencode(path).decode("utf-8", "replace")


def _log_error(message: str, **fields: object) -> None:
    log.error(message, extra={"fields": fields})


COLLECTOR = CollectorSpec("textfile", create, flags=(DIRECTORY,))
