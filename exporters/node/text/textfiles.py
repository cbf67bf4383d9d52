"""Find and read the files of the textfile collector (collector/textfile.go)."""

from __future__ import annotations

import glob
import logging
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from exporters.node.errno_text import error_text
from exporters.node.text import openmetrics, textformat, textformat_line
from exporters.toolkit.gotext import quote


log = logging.getLogger(__name__)

_SUFFIX = ".prom"
_CHUNK = 65_536
# Windows has neither. A FIFO without a writer would block, and so would everything.
_OPEN = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
_NANOSECONDS = 10**9
_FAILED = "failed to parse textfile data from"


class File(NamedTuple):
    """One good file: its path and its age in whole seconds, as upstream cuts it."""

    path: str
    mtime_seconds: int
    families: list[textformat.Family]


class RejectedError(ValueError):
    """Report what is left out of *path*: its *reason*, upstream's *text*, the *line*.

    Line 0 is no line of the file: it could not be read.
    """

    def __init__(self, path: str, text: str, reason: str, line: int = 0) -> None:
        super().__init__(text)
        self.path = path
        self.reason = reason
        self.line = line


class StampedError(ValueError):
    """Report a sample that brings its own time, which nobody could tell from now."""

    def __init__(self, line: int) -> None:
        super().__init__("unsupported client-side timestamps")
        self.line = line


@dataclass(slots=True)
class Findings:
    """What is in all files, and what had to be left out."""

    files: list[File] = field(default_factory=list)
    rejected: list[RejectedError] = field(default_factory=list)


def read_all(patterns: Iterable[str]) -> Findings:
    """Return what is in the ``*.prom`` files of the directories of *patterns*.

    Never raises: what cannot be read or is not in the format is logged with its
    file and line, left out whole, and named in the findings.
    """
    found = Findings()
    for directory in (d for pattern in patterns for d in expand(pattern)):
        for path in _list_files(directory, found):
            try:
                found.files.append(read_file(path))
            except RejectedError as error:
                found.rejected.append(error)
                _log_error("failed to collect textfile data", file=path, err=str(error))
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
        reason = error_text(error)
        text = f"open {directory}: {reason}"
        found.rejected.append(RejectedError(directory, text, reason))
        _log_error(
            "failed to read textfile collector directory", path=directory, err=text
        )
        return []
    return [_join(directory, name) for name in names if name.endswith(_SUFFIX)]


def _join(directory: str, name: str) -> str:
    path = os.path.normpath(os.path.join(directory, name))
    return path[1:] if path.startswith("//") else path  # Go cleans that, too


def read_file(path: str) -> File:
    """Return the families of the file at *path*.

    Raises RejectedError, with upstream's text, which names the file, and the line.
    """
    data, mtime_seconds = _read(path)
    try:
        return File(path, mtime_seconds, parse(data))
    except textformat_line.ParseError as error:
        text = f"{_FAILED} {quote(path)}: {error}"
        raise RejectedError(path, text, error.reason, error.line) from error
    except StampedError as error:
        text = f"textfile {quote(path)} contains {error}, skipping entire file"
        text = f"{text} (line {error.line})"
        raise RejectedError(path, text, str(error), error.line) from error


def parse(data: bytes) -> list[textformat.Family]:
    """Return the families of *data*, read as upstream reads it.

    What upstream refuses is read as OpenMetrics where it is meant to be that. Raises
    ParseError, and StampedError where a sample has a timestamp.
    """
    try:
        families = textformat.parse(data)
    except textformat_line.ParseError:
        if not openmetrics.is_meant(data):
            raise
        return openmetrics.parse(data)
    stamped = [f.stamped_line for f in families if f.stamped_line is not None]
    if stamped:
        raise StampedError(min(stamped))
    return families


def _read(path: str) -> tuple[bytes, int]:
    try:
        descriptor = os.open(path, _OPEN)
    except OSError as error:
        reason = error_text(error)
        text = f"failed to open textfile data file {quote(path)}: open {path}: {reason}"
        raise RejectedError(path, text, reason) from error
    try:
        chunks = iter(lambda: os.read(descriptor, _CHUNK), b"")
        data = b"".join(chunks)
        # Only now: a file that cannot be read must not look fresh.
        return data, os.fstat(descriptor).st_mtime_ns // _NANOSECONDS
    except OSError as error:
        reason = error_text(error)
        text = f"{_FAILED} {quote(path)}: read {path}: {reason}"
        raise RejectedError(path, text, reason) from error
    finally:
        os.close(descriptor)


def _log_error(message: str, **fields: object) -> None:
    log.error(message, extra={"fields": fields})
