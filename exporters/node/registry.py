"""Which collectors exist, and which a scrape runs (node_exporter collector.go)."""

from __future__ import annotations

import importlib
import logging
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from exporters.node import collectors
from exporters.node.keeper import Keeper
from exporters.node.kept_file import KeptFile
from exporters.node.paths import Paths
from exporters.toolkit.errors import StartError
from exporters.toolkit.flags import Flag, Values, boolean
from exporters.toolkit.metric import Metric
from exporters.toolkit.web import ScrapeRefused


log = logging.getLogger(__name__)

Collect = Callable[[], Iterable[Metric]]
"""One scrape of one collector. Runs in a worker thread; raises on failure."""

DISABLE_DEFAULTS = boolean(
    "collector.disable-defaults", "Set all collectors to disabled by default."
)


_SUFFIXES = (".py", ".pyc")


class NoData(Exception):  # noqa: N818 - upstream's ErrNoData is not an error
    """Say that there is nothing to collect here: success 0, logged at debug only."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a collector may know of the command line."""

    paths: Paths
    values: Values
    keeper: Keeper = field(default_factory=Keeper)

    def proc(self, *parts: str) -> KeptFile:
        """Return a file below ``--path.procfs`` that is read at every scrape."""
        return KeptFile(self.paths.proc(*parts), self.keeper)

    def sys(self, *parts: str) -> KeptFile:
        """Return a file below ``--path.sysfs`` that is read at every scrape."""
        return KeptFile(self.paths.sys(*parts), self.keeper)


@dataclass(frozen=True, slots=True)
class CollectorSpec:
    """One collector: its name, its flags and how to make it.

    *create* validates the collector's flags (raising StartError) and returns
    the callable that is run for every scrape. *flags* are the extra ones;
    ``--collector.<name>`` itself is :attr:`switch`. *requested* is one that the
    command line names otherwise: ``--collector.disable-defaults`` leaves it on.
    """

    name: str
    create: Callable[[Context], Collect]
    default_enabled: bool = True
    flags: tuple[Flag[Any], ...] = ()
    requested: bool = False

    @property
    def switch(self) -> Flag[bool]:
        """Return the flag ``--[no-]collector.<name>``."""
        state = "enabled" if self.default_enabled else "disabled"
        return boolean(
            f"collector.{self.name}",
            f"Enable the {self.name} collector (default: {state}).",
            default=self.default_enabled,
        )


def discover() -> tuple[CollectorSpec, ...]:
    """Return the ``COLLECTOR`` of every module in ``exporters.node.collectors``."""
    return load(*(f"{collectors.__name__}.{name}" for name in module_names()))


def module_names() -> list[str]:
    """Return the names of the modules in ``exporters.node.collectors``."""
    # pkgutil.iter_modules loads inspect, 9 ms and 1 MiB, to take a suffix off.
    files = {name for path in collectors.__path__ for name in os.listdir(path)}
    names = {name.partition(".")[0] for name in files if name.endswith(_SUFFIXES)}
    return sorted(names - {"__init__"})


def load(*modules: str) -> tuple[CollectorSpec, ...]:
    """Return the ``COLLECTOR`` of those *modules* that have one, by name."""
    loaded = map(importlib.import_module, modules)
    found = (getattr(module, "COLLECTOR", None) for module in loaded)
    specs = [spec for spec in found if isinstance(spec, CollectorSpec)]
    return tuple(sorted(specs, key=lambda spec: spec.name))


def flags(specs: Iterable[CollectorSpec]) -> tuple[Flag[Any], ...]:
    """Return every flag that *specs* bring, and ``--collector.disable-defaults``.

    A flag that several of them obey is there once.
    """
    found = (flag for spec in specs for flag in (spec.switch, *spec.flags))
    return tuple(dict.fromkeys((DISABLE_DEFAULTS, *found)))


def is_enabled(spec: CollectorSpec, values: Values) -> bool:
    """Tell whether the command line wants the collector of *spec*."""
    named = spec.requested or values.given(spec.switch)
    if values[DISABLE_DEFAULTS] and not named:
        return False
    return values[spec.switch]


def _create(spec: CollectorSpec, context: Context) -> Collect:
    try:
        return spec.create(context)
    except StartError as error:
        raise StartError(f"couldn't create collector {spec.name}: {error}") from error


class Registry:
    """The collectors of this process: those that exist, and those that are enabled."""

    def __init__(self, specs: Sequence[CollectorSpec], context: Context) -> None:
        """Create the enabled collectors of *specs*; raises StartError for bad flags."""
        self._known = frozenset(spec.name for spec in specs)
        self._keeper = context.keeper
        paths = context.paths
        self._keeper.watch(paths.procfs, paths.sysfs, *filter(None, (paths.net,)))
        self._enabled: Mapping[str, Collect] = {
            spec.name: _create(spec, context)
            for spec in sorted(specs, key=lambda spec: spec.name)
            if is_enabled(spec, context.values)
        }

    def begin_scrape(self) -> None:
        """Have what was kept open for the last scrape closed where it is stale."""
        self._keeper.look()

    @property
    def enabled(self) -> Mapping[str, Collect]:
        """Return the enabled collectors, by name and in the order of their names."""
        return self._enabled

    def log_enabled(self) -> None:
        """Log the names of the enabled collectors as upstream does at start."""
        log.info("Enabled collectors")
        for name in self._enabled:
            log.info("%s", name)

    def select(self, query: Mapping[str, Sequence[str]]) -> Mapping[str, Collect]:
        """Return the collectors that ``collect[]`` and ``exclude[]`` of *query* leave.

        Raises ScrapeRefused with upstream's texts (node_exporter.go, ServeHTTP).
        """
        collect, exclude = query.get("collect[]", ()), query.get("exclude[]", ())
        if collect and exclude:
            raise ScrapeRefused("Combined collect and exclude queries are not allowed.")
        for name in collect:
            self._require(name)
        if collect:
            return {name: self._enabled[name] for name in sorted(set(collect))}
        return {n: run for n, run in self._enabled.items() if n not in exclude}

    def _require(self, name: str) -> None:
        if name in self._enabled:
            return
        fault = "disabled" if name in self._known else "missing"
        reason = f"couldn't create collector: {fault} collector: {name}"
        log.warning(
            "Couldn't create filtered metrics handler:",
            extra={"fields": {"err": reason}},
        )
        raise ScrapeRefused(f"Couldn't create filtered metrics handler: {reason}")
