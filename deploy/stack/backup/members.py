"""What may be in a packed folder: nothing that leads out of it."""

from __future__ import annotations

import posixpath
import tarfile
from pathlib import PurePosixPath


class Members:
    """The members of one tar file, looked at in their order."""

    def __init__(self, root: str) -> None:
        """Take the folder's path in its container, which links may begin with."""
        self._root = root
        self._links: set[str] = set()

    def problem(self, member: tarfile.TarInfo) -> str | None:
        """Return what is wrong with *member*, None when nothing is."""
        name = posixpath.normpath(member.name)
        if outside(member.name):
            return f"{member.name!r} leads out of the folder"
        if not (member.isfile() or member.isdir() or member.issym() or member.islnk()):
            return f"{member.name!r} is neither file, folder nor link"
        if through := self._links.intersection(
            str(parent) for parent in PurePosixPath(name).parents
        ):
            return f"{member.name!r} goes through the link {min(through)!r}"
        if member.islnk() and outside(member.linkname):
            return f"{member.name!r} links to {member.linkname!r}, out of the folder"
        if member.issym():
            if leads_out(name, member.linkname, self._root):
                return (
                    f"{member.name!r} links to {member.linkname!r}, out of the folder"
                )
            self._links.add(name)
        return None


def leads_out(name: str, target: str, root: str) -> bool:
    """Whether a symbolic link *name* in a folder leads out of it.

    *root* is where the folder is mounted, which an absolute *target* may begin with.
    """
    if target.startswith("/"):
        inside = posixpath.normpath(target)
        return not (inside == root or inside.startswith(root + "/"))
    return outside(posixpath.join(posixpath.dirname(name), target))


def outside(name: str) -> bool:
    """Whether the path *name* leads out of the folder that it begins in."""
    normal = posixpath.normpath(name)
    return normal.startswith(("/", "../")) or normal == ".."
