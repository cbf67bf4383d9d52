"""The folder of backups: what they are called, which is the newest, which may go."""

from __future__ import annotations

import re
import tarfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from deploy.stack.backup.archive import PARTIAL
from deploy.stack.backup.manifest import BY_HAND, README
from deploy.stack.shell import StackError


NAME = re.compile(r"(?P<project>.+)-(?P<time>\d{8}T\d{6}Z)\.tar")
TIME = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """One file with the name of a backup: when it was made, and of which project."""

    time: str
    project: str
    path: Path


def path_for(folder: Path, project: str, now: datetime) -> Path:
    """Return the name of a backup of *project* made *now*."""
    return folder / f"{project}-{now.astimezone(UTC).strftime(TIME)}.tar"


def backups(folder: Path) -> list[Found]:
    """Return what has the name of a backup in *folder*, oldest first."""
    matches = ((NAME.fullmatch(path.name), path) for path in folder.iterdir())
    return sorted(Found(m["time"], m["project"], path) for m, path in matches if m)


def newest(folder: Path, project: str) -> Path:
    """Return the newest backup in *folder*; of several projects, that of *project*."""
    found = backups(folder)
    projects = {each.project for each in found}
    if len(projects) > 1:
        found = [each for each in found if each.project == project]
    if not found:
        other = f" of {project}, but of {', '.join(sorted(projects))}"
        raise StackError(f"{folder}: no backup{other if projects else ''}")
    return found[-1].path


def rotate(folder: Path, project: str, keep: int, made: Path) -> list[Path]:
    """Remove all but the newest *keep* backups of *project*; return what went.

    The one that was *made* just now stays, though a clock was wrong and others are of
    a later time.
    """
    own = [each.path for each in backups(folder) if each.project == project]
    own = [path for path in own if made_here(path) and path != made]
    gone = own[: max(0, len(own) + 1 - keep)]
    for path in gone:
        path.unlink()
    return gone


def made_here(path: Path) -> bool:
    """Whether *path* is a file that `make backup` wrote, and not only named so."""
    if not path.is_file():  # such as a pipe, which would wait for somebody to write
        return False
    try:
        with tarfile.open(path, "r:") as tar:
            first = tar.next()
            file = tar.extractfile(first) if first else None
            if first is None or file is None or first.name != README:
                return False
            return file.read(len(BY_HAND)) == BY_HAND.encode()
    except (OSError, tarfile.TarError):
        return False


def remove_partial(folder: Path, project: str) -> None:
    """Remove what an interrupted backup of *project* left, which nobody writes now."""
    for path in folder.glob(f".*{PARTIAL}"):
        match = NAME.fullmatch(path.name.removeprefix(".").removesuffix(PARTIAL))
        if match and match["project"] == project:
            path.unlink()
