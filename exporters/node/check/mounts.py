"""How a directory is mounted here (proc_pid_mountinfo(5))."""

from __future__ import annotations

from typing import NamedTuple

from exporters.node.storage import mountinfo


_MOUNT_POINT = 4
_FIRST_TAG = 6


class Mount(NamedTuple):
    """One mount: its propagation ("shared:5", "master:1") and its superblock's options.

    Without a tag it is private: what is mounted below it elsewhere is not seen here.
    """

    tags: tuple[str, ...]
    options: tuple[str, ...]

    @property
    def is_private(self) -> bool:
        """Tell whether later mounts of the host do not show here."""
        return not any(tag.startswith(("shared:", "master:")) for tag in self.tags)

    def option(self, name: str) -> str:
        """Return the value of the option *name*, "" where it is not set."""
        prefix = f"{name}="
        values = [o.removeprefix(prefix) for o in self.options if o.startswith(prefix)]
        return values[0] if values else ""


def find(data: bytes, mount_point: str) -> Mount | None:
    """Return the topmost mount at *mount_point* in a mountinfo file.

    Lines that are none are passed over.
    """
    found = None
    for line in data.split(b"\n"):
        fields = mountinfo.path_text(line).split(" ")
        if "-" not in fields[_FIRST_TAG:]:
            continue
        end = fields.index("-", _FIRST_TAG)
        if mountinfo.unescape(fields[_MOUNT_POINT]) == mount_point:
            found = Mount(
                tuple(fields[_FIRST_TAG:end]), tuple(fields[-1].strip().split(","))
            )
    return found
