"""Files to read: ``static_configs`` and ``target_config`` of promtail.

Upstream: prometheus discovery/targetgroup, promtail targets/file/filetarget.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from exporters.toolkit.decode import Problem
from shipper.config.duration import GoDuration
from shipper.files.glob import Glob, GlobError
from shipper.files.target import PATH, PATH_EXCLUDE
from shipper.relabel import label_problems


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticConfig:
    """Labels, ``__path__`` among them; *targets* are names that nothing asks."""

    targets: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)

    def problems(self) -> Iterator[Problem]:
        yield from label_problems(self.labels)
        for name in (PATH, PATH_EXCLUDE):
            try:
                Glob(self.labels.get(name, ""))
            except GlobError as error:
                yield Problem(f"{name}: {error}", ("labels", name))


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetConfig:
    """How often to look for new files, in seconds; *stdin*: read what is piped in."""

    sync_period: GoDuration = 10.0
    stdin: bool = False

    def problems(self) -> Iterator[Problem]:
        if self.sync_period <= 0:
            yield Problem("sync_period must be greater than 0", ("sync_period",))
