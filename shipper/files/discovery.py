"""Keep up with the files of ``file_sd_configs``. Blocking: run it in a thread.

There is no watch: every few seconds the state of each file is looked at, and what
changed is read. A file that cannot be read, or is wrong, keeps its last good targets.
"""

from __future__ import annotations

import glob
import logging
import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from exporters.toolkit.decode import DecodeError
from shipper.files.target import StaticConfig
from shipper.files.target_files import parse


log = logging.getLogger(__name__)

POLL_SECONDS = 2.0
MAX_FILES = 10_000
MAX_FILE_BYTES = 16 * 1024 * 1024


class _State(NamedTuple):
    """Two equal ones: the file was not written in between."""

    mtime_ns: int
    size: int
    inode: int


@dataclass(slots=True)
class _Known:
    """What is known of one file."""

    state: _State | None = None
    groups: list[StaticConfig] = field(default_factory=list)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class FileSD:
    """One of ``file_sd_configs``."""

    files: Sequence[str]
    refresh_seconds: float = 300.0


class Discovery:
    """The groups that the files of one *config* hold now.

    *now* is a monotonic clock in seconds.
    """

    def __init__(
        self, config: FileSD, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._config = config
        self._now = now
        self._known: dict[str, _Known] = {}
        self._reread_at = now() + config.refresh_seconds

    @property
    def groups(self) -> list[StaticConfig]:
        """What was found by the last `look`."""
        return [group for known in self._known.values() for group in known.groups]

    @property
    def problems(self) -> list[str]:
        """What is wrong with files now, one line each."""
        return [known.problem for known in self._known.values() if known.problem]

    def look(self) -> bool:
        """Read what changed; return whether there are other groups now."""
        before = self.groups
        again = self._now() >= self._reread_at
        if again:
            self._reread_at = self._now() + self._config.refresh_seconds
        paths = _matching(self._config.files)
        self._known = {path: self._known.get(path, _Known()) for path in paths}
        for path, known in self._known.items():
            _refresh(path, known, again=again)
        return self.groups != before


def _refresh(path: str, known: _Known, *, again: bool) -> None:
    try:
        state = _state(path)
        if again or state != known.state:
            known.groups = parse(_read(path), path)
            known.problem = ""
        known.state = state
    except OSError as error:
        _complain(known, f"{path}: cannot be read: {error.strerror or error}")
    except DecodeError as error:
        known.state = state
        _complain(known, "; ".join(error.errors))


def _state(path: str) -> _State:
    status = os.stat(path)
    return _State(status.st_mtime_ns, status.st_size, status.st_ino)


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise DecodeError([f"{path}:1:1: more than {MAX_FILE_BYTES} bytes"])
    return data


def _complain(known: _Known, problem: str) -> None:
    if problem != known.problem:
        known.problem = problem
        log.error("file_sd_configs: what was good before is kept: %s", problem)


def _matching(patterns: Iterable[str]) -> list[str]:
    found: dict[str, None] = {}
    for pattern in patterns:
        # Go says [^a] for what Python says [!a]; * is also for a leading dot.
        names = glob.iglob(pattern.replace("[^", "[!"), include_hidden=True)
        found.update((name, None) for _, name in zip(range(MAX_FILES), names))  # noqa: B905  # the bound is meant
    return sorted(found)
