"""Which devices the include and exclude flags leave (collector/device_filter.go)."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from exporters.toolkit.errors import StartError
from exporters.toolkit.flags import Flag, Values
from exporters.toolkit.regex import Regex


log = logging.getLogger(__name__)


_MOST_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class DeviceFilter:
    """Two unanchored patterns; None lets everything through.

    *beside*, if there is one, is a filter that has to let a device through as well.
    """

    exclude: Regex | None = None
    include: Regex | None = None
    beside: DeviceFilter | None = None
    # Names are the same at every scrape: 3 us for two patterns, 0.1 us from here.
    _ignored: dict[str, bool] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def compile(
        cls, exclude: str, include: str, beside: DeviceFilter | None = None
    ) -> DeviceFilter:
        """Return the filter of two patterns, either of which may be empty.

        Raises RegexError, which ends the start with one line.
        """
        return cls(
            Regex(exclude) if exclude else None,
            Regex(include) if include else None,
            beside,
        )

    def ignored(self, name: str) -> bool:
        """Tell whether *name* is left out; what *exclude* finds always is."""
        known = self._ignored.get(name)
        if known is None:
            if len(self._ignored) >= _MOST_REMEMBERED:
                self._ignored.clear()
            known = self._ignored[name] = self._decide(name)
        return known

    def _decide(self, name: str) -> bool:
        if self.exclude is not None and self.exclude.search(name):
            return True
        if self.include is not None and not self.include.search(name):
            return True
        return self.beside is not None and self.beside.ignored(name)


def renamed(
    values: Values, flag: Flag[str], old: Flag[str], *, taken: bool | None = None
) -> str:
    """Return the value of *flag*, or of *old*, the hidden name that it once had.

    *taken* says whether *flag* was set, where that is not "is not empty". Raises
    StartError when both are set.
    """
    current, former = values[flag], values[old]
    if not former:
        return current
    if current != "" if taken is None else taken:
        raise StartError(f"--{old.name} and --{flag.name} are mutually exclusive")
    log.warning(
        "--%s is DEPRECATED and will be removed in 2.0.0, use --%s", old.name, flag.name
    )
    return former


def log_pattern(flag: Flag[str], pattern: str) -> None:
    """Log a pattern that is in force, as upstream does at start."""
    if pattern:
        log.info("Parsed flag --%s", flag.name, extra={"fields": {"flag": pattern}})
