"""The collectors for macOS, the BSDs and Windows, by psutil.

Families are those whose meaning is the same there, called as upstream calls them on
that system. Imported off Linux only, or with ``--collector.backend=portable``.
"""

from __future__ import annotations

import pkgutil

from exporters.node import collectors
from exporters.node.registry import CollectorSpec, load


# Those that ask nothing of the system but files, clocks and sockets.
_UNCHANGED = ("ntp", "os", "runit", "supervisord", "textfile", "time")


def discover() -> tuple[CollectorSpec, ...]:
    """Return the ``COLLECTOR`` of every module here, and those that run anywhere."""
    there = {module.name for module in pkgutil.iter_modules(collectors.__path__)}
    return load(
        *(f"{__name__}.{module.name}" for module in pkgutil.iter_modules(__path__)),
        *(f"{collectors.__name__}.{name}" for name in _UNCHANGED if name in there),
    )
