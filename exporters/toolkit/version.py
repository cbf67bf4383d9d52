"""Name the running build (prometheus/common ``version``)."""

from __future__ import annotations

import os
import sys


__version__ = "0.1.0"  # hatchling reads it here; CHANGELOG.md says what it holds

UNKNOWN = "unknown"  # what upstream prints for a build without VCS information

# GOARCH for what uname calls the machine.
_ARCHITECTURES = {
    "x86_64": "amd64",
    "aarch64": "arm64",
    "armv6l": "arm",
    "armv7l": "arm",
    "i386": "386",
    "i686": "386",
    "loongarch64": "loong64",
}


def version() -> str:
    """Return the version of this source tree."""
    return __version__


def labels() -> dict[str, str]:
    """Return the labels of ``<program>_build_info``.

    The names are upstream's; ``goversion`` names the interpreter that runs us, as
    there is no Go here.
    """
    machine = _machine()
    return {
        "branch": "",
        "goarch": _ARCHITECTURES.get(machine, machine),
        "goos": sys.platform,
        "goversion": f"python{sys.version.split()[0]}",
        "revision": UNKNOWN,
        "tags": UNKNOWN,
        "version": version(),
    }


def _machine() -> str:
    if hasattr(os, "uname"):
        return os.uname().machine
    import platform  # noqa: PLC0415 - it takes 1.7 ms, and only Windows needs it

    return platform.machine()


def info() -> str:
    """Return version, branch and revision as upstream logs them at start."""
    values = labels()
    return (
        f"(version={values['version']}, branch={values['branch']}, "
        f"revision={values['revision']})"
    )


def build_context() -> str:
    """Return interpreter and platform as upstream logs them at start."""
    values = labels()
    return (
        f"(go={values['goversion']}, platform={values['goos']}/{values['goarch']}, "
        f"user=, date=, tags={values['tags']})"
    )


def print_version(program: str) -> str:
    """Return the text of ``--version``, in the shape of ``version.Print``."""
    values = labels()
    return (
        f"{program}, version {values['version']} "
        f"(branch: {values['branch']}, revision: {values['revision']})\n"
        f"  build user:       \n"
        f"  build date:       \n"
        f"  go version:       {values['goversion']}\n"
        f"  platform:         {values['goos']}/{values['goarch']}\n"
        f"  tags:             {values['tags']}\n"
    )
