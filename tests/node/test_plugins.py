"""Collectors of other people are treated as ours, and cannot do more harm."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from exporters.node import plugins, registry
from exporters.node.calls import run
from exporters.node.paths import Paths
from exporters.node.registry import CollectorSpec, Context, Registry
from exporters.toolkit.errors import StartError
from exporters.toolkit.flags import Program
from tests.node.test_cli import DEADLINE_SECONDS, ROOT, started


PAGE = ROOT / "docs/collector-plugin.md"

MODULE = """
from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.core import GaugeMetricFamily
from exporters.node.registry import CollectorSpec

class HTTPQueueCollector:
    def collect(self):
        return [GaugeMetricFamily("queue", "Help.", 7)]

class Named:
    name = "called"
    def collect(self):
        raise RuntimeError("no luck")

class Picky:
    def __init__(self):
        raise KeyError("SETTING")

class Outer:
    Inner = HTTPQueueCollector

def make():
    return HTTPQueueCollector()

own = CollectorRegistry()
Gauge("held", "Help.", registry=own).set(3)
SPEC = CollectorSpec("spec", lambda context: make().collect, default_enabled=False)
NOTHING = 5
"""
ENTRY_POINTS = """\
[{group}]
fine = {module}:HTTPQueueCollector
broken = {module}:Missing
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of a module with plugins that can be imported."""
    name = f"plugins_of_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    return name


def registry_of(
    specs: Sequence[CollectorSpec], argv: Sequence[str]
) -> registry.Registry:
    flags = (*registry.flags(specs), plugins.PLUGIN)
    values = Program("node_exporter", "", flags).parse(argv, {})
    return Registry(specs, Context(Paths(), values))


def scrape(argv: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return the samples of each enabled plugin of *argv*."""
    made = registry_of(plugins.with_plugins((), argv), argv)
    return {
        name: {s.name: s.value for m in run(collect).metrics for s in m.samples}
        for name, collect in made.enabled.items()
    }


@pytest.mark.parametrize(
    ("path", "name", "samples"),
    [
        ("HTTPQueueCollector", "http_queue", {"queue": 7}),
        ("Outer.Inner", "inner", {"queue": 7}),
        ("make", "make", {"queue": 7}),
        ("own", "own", {"held": 3}),
        ("Named", "called", {}),
    ],
)
def test_what_a_plugin_can_be(
    path: str, name: str, samples: dict[str, float], module: str
) -> None:
    assert scrape([f"--collector.plugin={module}:{path}"]) == {name: samples}


def test_a_spec_is_taken_as_it_is(module: str) -> None:
    argv = [f"--collector.plugin={module}:SPEC"]
    assert scrape(argv) == {}  # it says itself that it is off
    assert scrape([*argv, "--collector.spec"]) == {"spec": {"queue": 7}}


def test_switches(module: str) -> None:
    argv = [f"--collector.plugin={module}:make", "--collector.disable-defaults"]
    assert list(scrape(argv)) == ["make"]
    assert list(scrape([*argv, "--no-collector.make"])) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("nowhere_at_all:X", "ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("MODULE", "ValueError: expected module:Class"),
        ("MODULE:", "ValueError: expected module:Class"),
        ("MODULE:Missing", "AttributeError: module 'MODULE' has no attribute"),
        ("MODULE:NOTHING", "ValueError: expected a class with a method collect, got"),
        ("MODULE:_", "AttributeError"),
        ("exporters.node.__main__.:X", "ModuleNotFoundError"),
        ("this.is.:..:not", "ModuleNotFoundError"),
    ],
)
def test_what_cannot_be_imported_is_one_line(
    value: str, text: str, module: str
) -> None:
    value = value.replace("MODULE", module)
    with pytest.raises(StartError) as caught:
        plugins.load(value)
    assert str(caught.value).startswith(f"--collector.plugin={value}: ")
    assert text.replace("MODULE", module) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_constructor_that_raises_is_one_line(module: str) -> None:
    with pytest.raises(StartError, match=r"collector picky: KeyError: 'SETTING'"):
        scrape([f"--collector.plugin={module}:Picky"])


def test_two_of_one_name(module: str) -> None:
    twice = [f"--collector.plugin={module}:make"] * 2
    with pytest.raises(StartError, match="two collectors called make"):
        plugins.with_plugins((), twice)


def test_entry_points(module: str, tmp_path: Path) -> None:
    assert plugins.installed() == []
    folder = tmp_path / "acme-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1\n")
    (folder / "entry_points.txt").write_text(
        ENTRY_POINTS.format(group=plugins.GROUP, module=module)
    )
    specs = plugins.with_plugins((), ())
    assert [spec.name for spec in specs] == ["broken", "fine"]
    outcomes = {n: run(c) for n, c in registry_of(specs, ()).enabled.items()}
    assert [s.value for m in outcomes["fine"].metrics for s in m.samples] == [7]
    assert outcomes["broken"].failure == "error"
    assert "Missing" in str(outcomes["broken"].error)
    assert list(registry_of(specs, ["--collector.disable-defaults"]).enabled) == []


def examples() -> list[str]:
    return re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


def test_the_examples_of_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool, lease = examples()
    (tmp_path / "spool.py").write_text(spool)
    (tmp_path / "lease.py").write_text(lease)
    (tmp_path / "days").write_text("12\n")
    for name in ("mail/1", "mail/2"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}{os.pathsep}{tmp_path}")
    monkeypatch.setenv("SPOOL", str(tmp_path))
    with started(
        *("-m", "exporters.node", "--collector.plugin=spool:SpoolCollector"),
        *("--collector.plugin=lease:LEASE", "--collector.lease.file=/days"),
        f"--path.rootfs={tmp_path}",
    ) as node:
        # The queue "print" is not there: the collector fails, and only it does.
        _, body = node.get("/metrics?collect[]=spool&collect[]=loadavg")
        assert 'node_scrape_collector_failure{collector="spool",reason="error"} 1' in (
            body
        )
        assert "node_load1 " in body
        (tmp_path / "print").mkdir()
        _, body = node.get("/metrics?collect[]=spool&collect[]=lease")
        assert (
            "# HELP spool_jobs Jobs that wait.\n# TYPE spool_jobs gauge\n"
            'spool_jobs{queue="mail"} 2\nspool_jobs{queue="print"} 0\n'
        ) in body
        assert "lease_days 12\n" in body
        assert 'node_scrape_collector_success{collector="spool"} 1' in body
        assert 'node_scrape_collector_duration_seconds{collector="spool"}' in body
        assert "spool_jobs" not in node.get("/metrics?exclude[]=spool")[1]
        status, text = node.get("/metrics?collect[]=spools")
        assert (status, "missing collector: spools" in text) == (400, True)
    assert len([line for line in spool.splitlines() if line.strip()]) <= 12


def test_a_bad_plugin_is_one_line_and_exit_code_1() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "exporters.node", "--collector.plugin=nowhere:X"],
        cwd=ROOT,
        capture_output=True,
        timeout=DEADLINE_SECONDS,
        check=False,
        text=True,
    )
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line == (
        "node_exporter: error: --collector.plugin=nowhere:X: ModuleNotFoundError:"
        " No module named 'nowhere'"
    )
