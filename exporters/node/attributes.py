"""Read the devices of a sysfs class so that what is wrong with one costs only itself.

Upstream gives up on the whole class where one attribute of one device cannot be read or
understood. But drivers do refuse (ENODATA of a battery, EINVAL of a network adapter),
disks do die (EIO), and devices do go away between the listing and the reading. Here:

* what the kernel does not give is absent, whatever its reason;
* what it gives and nobody understands is absent too, and the collector fails at its
  end, after everything else was handed over: ``success`` is 0 as upstream's, and the
  log says which file held what.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from exporters.node import sysfs
from exporters.node.registry import NoData


log = logging.getLogger(__name__)

T = TypeVar("T")

_SHOWN = 3  # more problems than these make no clearer line


def list_devices(path: str, *, denied_is_nodata: bool = False) -> list[str]:
    """Return the devices of the class at *path*, sorted.

    Raises NoData where *path* does not exist, OSError where it cannot be read; with
    *denied_is_nodata* (upstream has it in some collectors) a lack of permission is no
    data, too.
    """
    try:
        return sysfs.entries(path)
    except OSError as error:
        is_denied = isinstance(error, PermissionError) and denied_is_nodata
        if is_denied or isinstance(error, FileNotFoundError):
            raise NoData(f"could not read {path}: {error.strerror}") from error
        raise


class Attributes:
    """Reads attributes for one scrape, and remembers those that it had to reject."""

    def __init__(self) -> None:
        """Begin with no problem."""
        self._rejected: list[str] = []

    def text(self, path: str) -> str | None:
        """Return the attribute at *path*, None where the kernel does not give it."""
        try:
            return sysfs.read(path)
        except OSError as error:
            _log_refusal(path, error)
            return None

    def label(self, path: str) -> str:
        """Return the attribute at *path* for a label, empty where there is none."""
        return self.text(path) or ""

    def value(self, path: str, parse: Callable[[str], T]) -> T | None:
        """Return what *parse* makes of the attribute at *path*.

        None where the kernel does not give it. Where *parse* raises ValueError, too:
        :meth:`raise_rejected` then tells.
        """
        text = self.text(path)
        if text is None:
            return None
        try:
            return parse(text)
        except ValueError as error:
            self.reject(f"{path}: {error}")
            return None

    def listing(self, path: str) -> list[str] | None:
        """Return the names in the directory *path*, sorted, None if it is not given."""
        try:
            return sysfs.entries(path)
        except OSError as error:
            _log_refusal(path, error)
            return None

    def names(self, path: str) -> list[str]:
        """Return the names in the directory *path*, sorted; none if it is not given."""
        return self.listing(path) or []

    def reject(self, problem: str) -> None:
        """Remember *problem*: what was read, where, what was expected."""
        self._rejected.append(problem)

    def raise_rejected(self) -> None:
        """Raise ValueError for what was rejected; a collector's last act."""
        if self._rejected:
            more = len(self._rejected) - _SHOWN
            shown = self._rejected[:_SHOWN] + ([f"{more} more"] if more > 0 else [])
            raise ValueError("; ".join(shown))


def _log_refusal(path: str, error: OSError) -> None:
    fields = {"path": path, "err": error}
    log.debug("The kernel does not give an attribute", extra={"fields": fields})
