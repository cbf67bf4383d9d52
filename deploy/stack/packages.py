"""Install packages of the distribution (Debian, Ubuntu), as root."""

from __future__ import annotations

import os
import shutil

from deploy.stack.shell import quiet, say


_APT = ("env", "DEBIAN_FRONTEND=noninteractive", "apt-get")


def may_install() -> bool:
    """Whether this is root where there is apt."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(*names: str) -> None:
    """Install *names* without what they only recommend; raise StackError."""
    say(f"installing {' '.join(names)} from the distribution")
    quiet([*_APT, "update", "-q"])
    quiet([*_APT, "install", "-y", "-q", "--no-install-recommends", *names])
