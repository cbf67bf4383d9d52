"""Where the host's files are (node_exporter collector/paths.go)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Paths:
    """The four mount points that ``--path.*`` sets."""

    procfs: str = "/proc"
    sysfs: str = "/sys"
    rootfs: str = "/"
    udev_data: str = "/run/udev/data"

    def proc(self, *parts: str) -> str:
        """Return a path below ``--path.procfs``."""
        return "/".join((self.procfs, *parts))

    def sys(self, *parts: str) -> str:
        """Return a path below ``--path.sysfs``."""
        return "/".join((self.sysfs, *parts))

    def root(self, path: str) -> str:
        """Return the absolute *path* of the host as it is reached from here."""
        if self.rootfs == "/":
            return path
        return self.rootfs.rstrip("/") + "/" + path.lstrip("/")

    def udev(self, *parts: str) -> str:
        """Return a path below ``--path.udev.data``."""
        return "/".join((self.udev_data, *parts))

    def strip_rootfs(self, path: str) -> str:
        """Return *path* as the host names it: without the ``--path.rootfs`` prefix."""
        if self.rootfs == "/":
            return path
        prefix = self.rootfs.rstrip("/")
        if path != prefix and not path.startswith(prefix + "/"):
            return path
        return path[len(prefix) :] or "/"
