"""From ``static_configs`` to targets: what to look for and as which stream. Pure.

As promtail targets/file/filetargetmanager.go: rules are applied once per target, before
there are files, so that ``filename`` is not among their labels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from zlib import crc32

from shipper.files.glob import Glob
from shipper.files.meters import Meters
from shipper.pipeline.entry import Labels


Relabel = Callable[[dict[str, str]], dict[str, str] | None]

ADDRESS = "__address__"
HOST = "__host__"
PATH = "__path__"
PATH_EXCLUDE = "__path_exclude__"
FILENAME = "filename"


@dataclass(frozen=True, slots=True)
class StaticConfig:
    """One of ``static_configs``: *labels* for each of *targets*."""

    targets: Sequence[str]
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Target:
    """Files to read as one set of labels; *discovered* are those before the rules."""

    include: Glob
    exclude: Glob | None
    labels: Mapping[str, str]
    discovered: Mapping[str, str]

    @property
    def key(self) -> str:
        """Return a short name that stays the same as long as the labels do."""
        return f"{crc32(repr(sorted(self.labels.items())).encode()):08x}"

    def stream(self, path: str) -> Labels:
        """Return the labels of the lines of the file *path*."""
        name = path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        return tuple(sorted({**self.labels, FILENAME: name}.items()))


def build(
    configs: Iterable[StaticConfig], relabel: Relabel, hostname: str, meters: Meters
) -> list[Target]:
    """Return the targets that *configs* describe, in their order.

    Those that cannot be used are counted as promtail does. Raises GlobError for a
    ``__path__`` or ``__path_exclude__`` that is no pattern.
    """
    targets: dict[tuple[str, str, str], Target] = {}
    for config in configs:
        for address in config.targets or ("localhost",):
            discovered = {**config.labels, ADDRESS: address}
            labels = relabel(dict(discovered))
            if labels is None:
                meters.targets_failed("dropped")
            elif labels.get(HOST, hostname) != hostname:
                meters.targets_failed("wrong_host")
            elif not labels.get(PATH):
                meters.targets_failed("no_path")
            else:
                target = _target(labels, discovered)
                key = (labels[PATH], labels.get(PATH_EXCLUDE, ""), target.key)
                if key in targets:
                    meters.targets_failed("exists")
                targets.setdefault(key, target)
    return list(targets.values())


def _target(labels: Mapping[str, str], discovered: Mapping[str, str]) -> Target:
    exclude = labels.get(PATH_EXCLUDE, "")
    return Target(
        Glob(labels[PATH]),
        Glob(exclude) if exclude else None,
        {k: v for k, v in labels.items() if v and not k.startswith("__")},
        discovered,
    )
