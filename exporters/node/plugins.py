"""Collectors of other people: anything that prometheus_client can collect from.

They come from ``--collector.plugin=module:Class`` and from the entry points of packages
that are installed. Upstream has no such thing: there a collector is compiled in.
"""

from __future__ import annotations

import importlib
import operator
import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from exporters.node.early import values_of
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.errors import StartError
from exporters.toolkit.flags import strings
from exporters.toolkit.logs import describe


GROUP = "monitoring_exporters.node_collectors"
"""The group of entry points; the name of one is the collector's."""

PLUGIN = strings(
    "collector.plugin",
    "Collector of your own, as module:Class; the class is one of prometheus_client's"
    " collectors: collect() returns metrics. (repeatable)",
)

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def with_plugins(
    specs: Sequence[CollectorSpec], argv: Sequence[str]
) -> tuple[CollectorSpec, ...]:
    """Return *specs* and those that *argv* names and that packages bring.

    Raises StartError for one that cannot be imported, or is called as another.
    """
    known = {spec.name: spec for spec in specs}
    for spec in (*installed(), *map(load, values_of(PLUGIN, argv))):
        if spec.name in known:
            raise StartError(f"there are two collectors called {spec.name}")
        known[spec.name] = spec
    return tuple(known[name] for name in sorted(known))


def load(text: str) -> CollectorSpec:
    """Return the collector at ``module:Class``. Raises StartError."""
    module, colon, path = text.partition(":")
    try:
        if not colon or not module or not path:
            raise ValueError("expected module:Class")  # noqa: TRY301 - one way out
        target = operator.attrgetter(path)(importlib.import_module(module))
        return replace(spec_of(target, _name(target, path)), requested=True)
    except (Exception, SystemExit) as error:  # a module may raise anything
        raise StartError(f"--{PLUGIN.name}={text}: {describe(error)}") from error


def installed() -> list[CollectorSpec]:
    """Return the collectors that installed packages bring.

    One that cannot be imported fails in every scrape, and costs nothing else.
    """
    if not any(map(_brings_collectors, _entry_point_files())):
        return []
    # Only now: it costs 600 KiB and 25 ms, and most hosts have no plugin.
    from importlib import metadata  # noqa: PLC0415

    return [_installed(point) for point in metadata.entry_points(group=GROUP)]


def _installed(point: Any) -> CollectorSpec:
    try:
        return spec_of(point.load(), point.name)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - it may raise anything
        reason = f"entry point {point.value}: {describe(error)}"

    def fail() -> Any:
        raise ValueError(reason)

    return CollectorSpec(point.name, lambda _context: fail)


def _entry_point_files() -> Iterator[str]:
    for folder in sys.path:
        try:
            names = os.listdir(folder or ".")
        except OSError:  # no such folder, or an archive
            continue
        for name in names:
            if name.endswith("-info"):
                yield os.path.join(folder, name, "entry_points.txt")


def _brings_collectors(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return f"[{GROUP}]".encode() in file.read()
    except OSError:
        return False


def spec_of(target: Any, name: str) -> CollectorSpec:
    """Return *target* as a collector called *name*.

    *target* is a class or function that returns something with ``collect()``, that
    something itself, or a CollectorSpec, which has its own name, can have flags and
    knows ``--path.*``. Raises ValueError for anything else.
    """
    if isinstance(target, CollectorSpec):
        return target
    if not callable(target) and not hasattr(target, "collect"):
        kind = type(target).__name__
        raise ValueError(f"expected a class with a method collect, got {kind}")
    if not _NAME.fullmatch(name):
        raise ValueError(f"expected a name of letters, digits and _, got {name!r}")

    def create(_context: Context) -> Collect:
        try:
            collect: Collect = (target() if callable(target) else target).collect
        except Exception as error:
            raise StartError(describe(error)) from error
        return collect

    return CollectorSpec(name, create)


def _name(target: Any, path: str) -> str:
    """Return what *target* calls itself, else its place: FooBarCollector is foo_bar."""
    own = getattr(target, "name", None)
    if isinstance(own, str):
        return own
    words = _CAPITAL.sub("_", path.rpartition(".")[2]).lower()
    return words.removesuffix("_collector") or words
