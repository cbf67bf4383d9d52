"""Where collectors come from: the kernel's own files on Linux, psutil elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from exporters.node.early import values_of
from exporters.node.registry import CollectorSpec
from exporters.toolkit.flags import choice


LINUX, PORTABLE = "linux", "portable"

BACKEND = choice(
    "collector.backend",
    "Collectors that read the kernel's files, or those by psutil for other systems.",
    (LINUX, PORTABLE),
    default=LINUX if sys.platform == "linux" else PORTABLE,
    hidden=True,
)


def chosen(argv: Sequence[str]) -> str:
    """Return the backend that *argv* asks for, else the one for this system."""
    return next(values_of(BACKEND, argv), BACKEND.default)


def portable() -> tuple[CollectorSpec, ...]:
    """Return the collectors by psutil, which nobody else needs."""
    from exporters.node import portable as package  # noqa: PLC0415

    return package.discover()
