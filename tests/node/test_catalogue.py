from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from exporters.node import catalogue, cli, registry
from exporters.node.catalogue import OFF_BY_DEFAULT, flags_of, specs_for
from exporters.node.paths import Paths


ROOT = Path(__file__).parents[2]


def test_the_table_says_what_the_collectors_say() -> None:
    specs = registry.discover()
    common = {f.name for s in specs if s.default_enabled for f in s.flags}
    assert {
        spec.name: {spec.switch.name, *(flag.name for flag in spec.flags)} - common
        for spec in specs
        if not spec.default_enabled
    } == {name: set(flags_of(name)) for name in OFF_BY_DEFAULT}


def test_the_switches_are_those_of_all_collectors() -> None:
    assert [spec.switch for spec in specs_for(())] == [
        spec.switch for spec in registry.discover()
    ]


@pytest.mark.parametrize(
    "argv",
    [
        ("--collector.ntp",),
        ("-collector.ntp",),
        ("--no-collector.ntp",),
        ("--collector.ntp.server=::1", "--collector.ntp.ip-ttl", "3"),
        ("--collector.qdisk.device-include=x",),
        ("--collector.profile=dashboard",),
        ("--check",),
    ],
)
def test_a_command_line_means_what_it_means_with_all(argv: tuple[str, ...]) -> None:
    environ = {"COLUMNS": "80"}
    some, everything = cli.program(specs_for(argv)), cli.program(registry.discover())
    values, expected = some.parse(argv, environ), everything.parse(argv, environ)
    for flag in some.flags:
        assert values[flag] == expected[flag]
        assert values.given(flag) == expected.given(flag)
    enabled = {s.name for s in specs_for(argv) if registry.is_enabled(s, values)}
    assert enabled == {
        s.name for s in registry.discover() if registry.is_enabled(s, expected)
    }


@pytest.mark.parametrize(
    "argv", [("--help",), ("-h",), ("--help-long",), ("--completion-bash", "--")]
)
def test_the_help_shows_all(argv: tuple[str, ...]) -> None:
    assert specs_for(argv) == registry.discover()


def test_a_file_of_arguments_counts(tmp_path: Path) -> None:
    arguments = tmp_path / "arguments"
    arguments.write_text("--collector.ksmd\n")
    (ksmd,) = (s for s in specs_for([f"@{arguments}"]) if s.name == "ksmd")
    assert ksmd in registry.discover()


def test_what_is_left_off_can_be_made_all_the_same() -> None:
    (ksmd,) = (spec for spec in specs_for(()) if spec.name == "ksmd")
    assert callable(ksmd.create(registry.Context(Paths(), None)))  # type: ignore[arg-type] # it has no flags


def test_who_is_off_is_not_imported() -> None:
    program = (
        "import json, sys; from exporters.node.catalogue import specs_for;"
        "specs_for(sys.argv[1:]); print(json.dumps(list(sys.modules)))"
    )
    command = [sys.executable, "-c", program, "--collector.swap"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    modules = json.loads(done.stdout)
    prefix = "exporters.node.collectors."
    loaded = {m.removeprefix(prefix) for m in modules if m.startswith(prefix)}
    assert "swap" in loaded
    assert loaded & OFF_BY_DEFAULT.keys() == {"swap"}


def test_a_collector_that_the_table_does_not_have_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shorter = {name: f for name, f in OFF_BY_DEFAULT.items() if name != "ksmd"}
    monkeypatch.setattr(catalogue, "OFF_BY_DEFAULT", shorter)
    assert [spec.name for spec in specs_for(())] == [
        spec.name for spec in registry.discover()
    ]
