from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from exporters.node import cli, profiles
from exporters.node.registry import discover, is_enabled
from exporters.toolkit.errors import UsageError
from exporters.toolkit.flags import Program


# Families of the dashboard, each with the collectors that give it.
FAMILIES = {
    family: collector.rstrip("*").split("/")
    for line in (Path(__file__).parent / "dashboard.tsv").read_text().splitlines()
    if not line.startswith("#")
    for family, collector in [line.split("\t")]
    if not collector.startswith("(")
}
FIELDS = "collector.netstat.fields"


def program() -> Program:
    return cli.program(discover())


def enabled(*argv: str) -> set[str]:
    """Return the collectors that *argv* switches on, the profile's among them."""
    parser = program()
    more = profiles.arguments(parser.parse(argv, {}), parser.flags)
    values = parser.parse((*argv, *more), {})
    return {spec.name for spec in discover() if is_enabled(spec, values)}


def test_the_dashboard_asks_for_collectors_that_there_are() -> None:
    assert len(FAMILIES) > 200
    there = {spec.name for spec in discover()}
    missing = {f: names for f, names in FAMILIES.items() if not there >= set(names)}
    assert missing == {}


def test_the_profile_covers_every_family_of_the_dashboard() -> None:
    asked_for = {name for names in FAMILIES.values() for name in names}
    assert set(profiles.PROFILES["dashboard"].collectors) == asked_for


def test_the_profile_adds_to_the_defaults() -> None:
    with_it = enabled("--collector.profile=dashboard")
    assert with_it - enabled() == {"interrupts", "processes", "systemd", "tcpstat"}
    assert enabled() < with_it


def test_without_the_defaults_it_is_the_dashboard_alone() -> None:
    argv = ("--collector.profile=dashboard", "--collector.disable-defaults")
    assert enabled(*argv) == set(profiles.PROFILES["dashboard"].collectors)


@pytest.mark.parametrize("first", [True, False])
def test_the_command_line_wins(first: bool) -> None:
    argv = ["--collector.profile=dashboard", "--no-collector.systemd"]
    found = enabled(*(argv if first else argv[::-1]))
    assert "systemd" not in found
    assert "tcpstat" in found


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        ((), []),
        (("--collector.profile=dashboard",), ["|^Tcp_MaxConn$"]),
        (("--collector.profile=dashboard", f"--{FIELDS}=x"), []),
    ],
)
def test_patterns_are_added_to(argv: Sequence[str], expected: list[str]) -> None:
    parser = program()
    (flag,) = (flag for flag in parser.flags if flag.name == FIELDS)
    more = profiles.arguments(parser.parse(argv, {}), parser.flags)
    assert [a for a in more if FIELDS in a] == [
        f"--{FIELDS}={flag.default}{pattern}" for pattern in expected
    ]


def test_a_profile_that_there_is_not() -> None:
    with pytest.raises(UsageError, match="enum value must be one of dashboard, got"):
        program().parse(["--collector.profile=full"], {})
