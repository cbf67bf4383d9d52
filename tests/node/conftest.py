"""Fixtures for the collectors: a small host in files, and a way to run a collector."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from exporters.node.paths import Paths
from exporters.node.registry import CollectorSpec, Context
from exporters.toolkit.flags import Program
from exporters.toolkit.metric import Metric


Run = Callable[..., list[Metric]]

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture
def paths() -> Paths:
    """The host in tests/node/fixtures."""
    return Paths(
        procfs=str(FIXTURES / "proc"),
        sysfs=str(FIXTURES / "sys"),
        rootfs=str(FIXTURES / "root"),
        udev_data=str(FIXTURES / "udev"),
    )


@pytest.fixture
def run(paths: Paths) -> Run:
    """Run a collector once on the fixtures, with flags as on the command line."""

    def run_once(spec: CollectorSpec, *argv: str, where: Paths = paths) -> list[Metric]:
        program = Program("node_exporter", "", (spec.switch, *spec.flags))
        values = program.parse(argv, {})
        return list(spec.create(Context(where, values))())

    return run_once
