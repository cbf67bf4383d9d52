"""Tell whether a container runtime started this process."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from exporters.node import namespaces


# Files that Docker, Podman, and systemd-nspawn or LXC leave in their containers.
_MARKS = (
    "/.dockerenv",
    "/run/.containerenv",
    "/run/host/container-manager",
)


def is_inside(
    environ: Mapping[str, str],
    exists: Callable[[str], bool] = os.path.exists,
    is_hosts: Callable[[str], bool | None] = namespaces.is_hosts,
) -> bool:
    """Tell whether this process is in a container.

    One that sees the host's own mounts is not, whatever it finds there: images of
    virtual machines are made from containers, marks and all.
    """
    if is_hosts("mnt"):
        return False
    if environ.get("container") or environ.get("KUBERNETES_SERVICE_HOST"):
        return True
    return any(exists(mark) for mark in _MARKS)
