"""Find the files that a pattern describes, without reading more than is needed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from shipper.files.glob import DOUBLESTAR, Glob, Segment


MAX_DEPTH = 40
"""Directories in one another; Linux gives up at as many symbolic links."""

MAX_ENTRIES = 200_000
"""Names looked at in one search: enough for a log host, an end for ``/**``."""


@dataclass(slots=True)
class Found:
    """What a search gave: regular files, sorted by path."""

    paths: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """Directories that could not be read, one line each."""


def find(include: Glob, exclude: Glob | None = None) -> Found:
    """Return the regular files that *include* describes and *exclude* does not.

    Symbolic links are followed, as promtail does, but not in circles. What cannot be
    read is among ``problems``; never raises. Blocking.
    """
    search = _Search()
    # promtail: a path that exists is meant literally, whatever is in its name.
    if _is_file(include.pattern):
        paths = {os.path.abspath(include.pattern)}
    else:
        paths = {
            path
            for variant in include.variants
            for path in search.below("", variant, ())
            if _is_file(path)
        }
    if exclude is not None:
        paths -= {os.path.abspath(exclude.pattern)}
        paths = {path for path in paths if not exclude.match(path)}
    return Found(sorted(paths), search.problems)


def _is_file(path: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False


class _Search:
    """One walk: how much was looked at, and what went wrong."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self._entries = 0
        # ** asks twice in a row: for what follows it, and for what is below.
        self._last: tuple[str, list[os.DirEntry[str]]] = ("", [])

    def below(
        self, directory: str, segments: Sequence[Segment], above: tuple[str, ...]
    ) -> Iterator[str]:
        """Yield the paths below *directory* that have the names *segments*.

        *above* are the real directories on the way here, to know circles by.
        """
        if not segments:
            yield directory
            return
        first, rest = segments[0], segments[1:]
        if first == DOUBLESTAR:
            yield from self._any_depth(directory, rest, above)
        elif isinstance(first, str):
            yield from self.below(f"{directory}/{first}", rest, above)
        else:
            # a/** is also a itself, whatever it is.
            last = all(segment == DOUBLESTAR for segment in rest)
            for entry in self._names(directory):
                if first.fullmatch(entry.name) and (last or _is_directory(entry)):
                    yield from self.below(f"{directory}/{entry.name}", rest, above)

    def _any_depth(
        self, directory: str, rest: Sequence[Segment], above: tuple[str, ...]
    ) -> Iterator[str]:
        yield from self.below(directory, rest, above)
        real = os.path.realpath(directory or "/")
        if real in above or len(above) >= MAX_DEPTH:
            return
        for entry in self._names(directory):
            path = f"{directory}/{entry.name}"
            if _is_directory(entry):
                yield from self._any_depth(path, rest, (*above, real))
            elif not rest:
                yield path

    def _names(self, directory: str) -> list[os.DirEntry[str]]:
        if directory and directory == self._last[0]:
            return self._last[1]
        if self._entries >= MAX_ENTRIES:
            return []
        try:
            with os.scandir(directory or "/") as entries:
                names = list(entries)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            self.problems.append(f"{directory}: cannot be listed: {error.strerror}")
            return []
        self._entries += len(names)
        self._last = (directory, names)
        if self._entries >= MAX_ENTRIES:
            self.problems.append(
                f"{directory}: the search ends here, after {MAX_ENTRIES} names"
            )
        return names


def _is_directory(entry: os.DirEntry[str]) -> bool:
    with suppress(OSError):
        return entry.is_dir()
    return False
