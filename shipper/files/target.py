"""From groups of targets to what to look for, and as which stream. Pure.

As promtail targets/file/filetargetmanager.go: rules are applied once per target, before
there are files, so that ``filename`` is not among their labels.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from zlib import crc32

from shipper.files.glob import Glob, GlobError
from shipper.files.meters import Meters
from shipper.pipeline.entry import Labels


log = logging.getLogger(__name__)

Relabel = Callable[[dict[str, str]], dict[str, str] | None]

ADDRESS = "__address__"
HOST = "__host__"
PATH = "__path__"
PATH_EXCLUDE = "__path_exclude__"
FILENAME = "filename"

LOCALHOST = ("localhost",)


@dataclass(frozen=True, slots=True)
class StaticConfig:
    """A group of targets: *labels* for each of *targets*.

    One of ``static_configs`` that names none has one all the same (`LOCALHOST`).
    """

    targets: Sequence[str]
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Dropped:
    """A target that is not used, and *reason*: why not."""

    discovered: Mapping[str, str]
    reason: str


@dataclass(frozen=True, slots=True)
class Target:
    """Files to read as one set of labels; *discovered* are those before the rules."""

    include: Glob
    exclude: Glob | None
    labels: Mapping[str, str]
    discovered: Mapping[str, str]

    @property
    def id(self) -> tuple[str, str, str]:
        """Return what makes it another target than others."""
        exclude = "" if self.exclude is None else self.exclude.pattern
        return (self.include.pattern, exclude, self.key)

    @property
    def key(self) -> str:
        """Return a short name that stays the same as long as the labels do."""
        return f"{crc32(repr(sorted(self.labels.items())).encode()):08x}"

    def stream(self, path: str) -> Labels:
        """Return the labels of the lines of the file *path*."""
        name = path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        return tuple(sorted({**self.labels, FILENAME: name}.items()))


class Builder:
    """Makes targets with the rules of one job, on the host *hostname*."""

    def __init__(self, relabel: Relabel, hostname: str, meters: Meters) -> None:
        self.dropped: list[Dropped] = []
        """What the last `build` did not use."""
        self._relabel = relabel
        self._hostname = hostname
        self._meters = meters

    def build(self, configs: Iterable[StaticConfig]) -> list[Target]:
        """Return the targets that *configs* describe, in their order.

        Those that cannot be used are counted as promtail does.
        """
        self.dropped = []
        targets: dict[tuple[str, str, str], Target] = {}
        for config in configs:
            for address in config.targets:
                discovered = {**config.labels, ADDRESS: address}
                target = self._one(discovered)
                if isinstance(target, Dropped):
                    self._drop(target)
                elif target.id in targets:
                    self._drop(Dropped(discovered, "exists"))
                else:
                    targets[target.id] = target
        return list(targets.values())

    def _one(self, discovered: Mapping[str, str]) -> Target | Dropped:
        labels = self._relabel(dict(discovered))
        if labels is None:
            return Dropped(discovered, "dropped")
        if labels.get(HOST, self._hostname) != self._hostname:
            return Dropped(discovered, "wrong_host")
        if not labels.get(PATH):
            return Dropped(discovered, "no_path")
        try:
            return _target(labels, discovered)
        except GlobError as error:
            log.warning("a target is not used: %s: %s", PATH, error)
            return Dropped(discovered, "error")

    def _drop(self, dropped: Dropped) -> None:
        self._meters.targets_failed(dropped.reason)
        self.dropped.append(dropped)


def _target(labels: Mapping[str, str], discovered: Mapping[str, str]) -> Target:
    exclude = labels.get(PATH_EXCLUDE, "")
    return Target(
        Glob(labels[PATH]),
        Glob(exclude) if exclude else None,
        {k: v for k, v in labels.items() if v and not k.startswith("__")},
        discovered,
    )
