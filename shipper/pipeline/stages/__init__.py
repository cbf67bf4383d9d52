"""The stages of promtail: one module each, found by its name (stages/stage.go)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Any

from exporters.toolkit.decode import OneKey
from shipper.pipeline.pipeline import NamedConfig
from shipper.pipeline.record import Record
from shipper.pipeline.stage import Filter, Stage, Workshop


_ALIASES = {"non_indexed_labels": "structured_metadata"}


class _Configs(Mapping[str, Any]):
    """The ``Config`` of every stage by name; a module is imported when it is used."""

    def __init__(self) -> None:
        # pkgutil.iter_modules loads inspect, 9 ms and 1 MiB, to take a suffix off.
        files = (name for folder in __path__ for name in os.listdir(folder))
        stems = {name.removesuffix(".py") for name in files if name.endswith(".py")}
        self._names = stems - {"__init__"} | set(_ALIASES)

    def __getitem__(self, name: str) -> Any:
        if name not in self._names:
            raise KeyError(name)
        module = import_module(f"{__name__}.{_ALIASES.get(name, name)}")
        return module.Config

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._names))

    def __len__(self) -> int:
        return len(self._names)


STAGES: Mapping[str, Any] = _Configs()
"""What the keys of a stage decode into."""


@dataclass(frozen=True, slots=True)
class _Nothing(Filter):
    """``- {}``, which promtail takes for a stage without a word."""

    def build(self, _: Workshop) -> Stage:
        return self

    def apply(self, _: Record) -> bool:
        return True


def _named(name: str, config: Any) -> NamedConfig:
    return (name, config if name else _Nothing())


StageEntry = Annotated[NamedConfig, OneKey("pipeline stage", STAGES, _named)]
"""One item of ``pipeline_stages``, or of the ``stages`` of a match stage."""
