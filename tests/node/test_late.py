from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path


ROOT = Path(__file__).parents[2]

# What python -m exporters.node imports, and a first scrape of a host without disks.
PROGRAM = """
import runpy, sys
sys.argv = ["node_exporter", "--version"]
try:
    runpy.run_module("exporters.node", run_name="__main__")
except SystemExit:
    pass
from exporters.node.calls import run
from exporters.node.catalogue import specs_for
from exporters.node.cli import program
from exporters.node.late import MODULES
from exporters.node.paths import Paths
from exporters.node.registry import Context, Registry
from exporters.toolkit.deferred import HEAVY
specs = specs_for(())
values = program(specs).parse((), {})
registry = Registry(specs, Context(Paths("/none", "/none", "/none", "/none"), values))
for collect in registry.enabled.values():
    run(collect)
names = (*HEAVY, *MODULES)
loaded = [name for name in names if hasattr(sys.modules[name], "__file__")]
print([loaded, sorted(sys.modules)], file=sys.stderr)
"""


def test_what_most_hosts_do_not_need_is_not_loaded() -> None:
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    loaded, modules = ast.literal_eval(done.stderr.splitlines()[-1].decode())
    assert loaded == []
    never = {"aiohttp", "yarl", "multidict", "prometheus_client", "psutil", "yaml"}
    assert not never & set(modules)
