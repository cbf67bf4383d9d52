"""Where the host's files are (node_exporter collector/paths.go)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Paths:
    """The mount points that ``--path.*`` sets; *net* is "" for procfs' own."""

    procfs: str = "/proc"
    sysfs: str = "/sys"
    rootfs: str = "/"
    udev_data: str = "/run/udev/data"
    net: str = ""

    def proc(self, *parts: str) -> str:
        """Return a path below ``--path.procfs``, or ``--path.net`` for ``net/…``."""
        path = "/".join(parts)
        if self.net and path.startswith("net/"):
            return self.net + path.removeprefix("net")
        return f"{self.procfs}/{path}"

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
