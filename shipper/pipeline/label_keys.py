"""Keys that stages about labels have in common: lists of names, names and sources."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from exporters.toolkit.decode import Problem
from shipper.relabel import is_label_name


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelNames:
    """The names of labels: at least one."""

    names: tuple[str, ...] = ()

    INLINE: ClassVar[str] = "names"
    STAGE: ClassVar[str]

    def problems(self) -> Iterator[Problem]:
        if not self.names:
            yield Problem(f"{self.STAGE} stage config cannot be empty")


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSources:
    """What each label takes its value from; nothing: from what bears its name."""

    sources: Mapping[str, str] = field(default_factory=dict)

    INLINE: ClassVar[str] = "sources"

    def problems(self) -> Iterator[Problem]:
        return name_problems(self.sources)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Return the names of the labels and of their sources."""
        return [(name, source or name) for name, source in self.sources.items()]


def name_problems(names: Iterable[str]) -> Iterator[Problem]:
    """Yield a problem for each of *names* that no label can have."""
    for name in names:
        if not is_label_name(name):
            yield Problem(f"invalid label name: {name}", (name,))
