from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence

import pytest

from exporters.node import registry
from exporters.node.paths import Paths
from exporters.node.registry import Collect, CollectorSpec, Context, Registry
from exporters.toolkit.flags import Program
from exporters.toolkit.web import ScrapeRefused


def create(_context: Context) -> Collect:
    return lambda: ()


FILTERED = "Couldn't create filtered metrics handler: couldn't create collector:"
SPECS = (
    CollectorSpec("stat", create),
    CollectorSpec("arp", create),
    CollectorSpec("buddyinfo", create, default_enabled=False),
)

Make = Callable[..., Registry]


@pytest.fixture
def make() -> Make:
    def from_command_line(*argv: str) -> Registry:
        program = Program("node_exporter", "", registry.flags(SPECS))
        return Registry(SPECS, Context(Paths(), program.parse(argv, {})))

    return from_command_line


@pytest.mark.parametrize(
    ("argv", "enabled"),
    [
        ((), ["arp", "stat"]),
        (("--no-collector.arp",), ["stat"]),
        (("--collector.buddyinfo",), ["arp", "buddyinfo", "stat"]),
        (("--collector.disable-defaults",), []),
        (("--collector.disable-defaults", "--collector.arp"), ["arp"]),
        (("--collector.arp", "--collector.disable-defaults"), ["arp"]),
        (("--collector.disable-defaults", "--no-collector.arp"), []),
    ],
)
def test_enabled(argv: Sequence[str], enabled: list[str], make: Make) -> None:
    assert list(make(*argv).enabled) == enabled


def test_a_collector_that_is_off_is_not_even_created() -> None:
    def explode(_context: Context) -> Collect:
        raise AssertionError

    specs = (CollectorSpec("off", explode, default_enabled=False),)
    program = Program("node_exporter", "", registry.flags(specs))
    assert not Registry(specs, Context(Paths(), program.parse((), {}))).enabled


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["arp", "stat"]),
        ({"collect[]": ["stat"]}, ["stat"]),
        ({"collect[]": ["stat", "arp", "stat"]}, ["arp", "stat"]),
        ({"exclude[]": ["arp"]}, ["stat"]),
        ({"exclude[]": ["nonsense"]}, ["arp", "stat"]),
        ({"other": ["x"]}, ["arp", "stat"]),
    ],
)
def test_select(
    query: Mapping[str, Sequence[str]], names: list[str], make: Make
) -> None:
    assert list(make().select(query)) == names


@pytest.mark.parametrize(
    ("query", "text"),
    [
        (
            {"collect[]": ["arp", "bogus"]},
            f"{FILTERED} missing collector: bogus",
        ),
        (
            {"collect[]": ["buddyinfo"]},
            f"{FILTERED} disabled collector: buddyinfo",
        ),
        (
            {"collect[]": [""]},
            f"{FILTERED} missing collector: ",
        ),
        (
            {"collect[]": ["arp"], "exclude[]": ["arp"]},
            "Combined collect and exclude queries are not allowed.",
        ),
    ],
)
def test_select_refuses_with_upstreams_words(
    query: Mapping[str, Sequence[str]], text: str, make: Make
) -> None:
    with pytest.raises(ScrapeRefused) as caught:
        make().select(query)
    assert str(caught.value) == text


def test_excluding_every_collector_leaves_none(make: Make) -> None:
    # Upstream runs all of them then: it takes an empty list for no filter.
    assert list(make().select({"exclude[]": ["arp", "stat"]})) == []


def test_log_enabled_names_one_a_line(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    make().log_enabled()
    assert [record.message for record in caplog.records] == [
        "Enabled collectors",
        "arp",
        "stat",
    ]


def test_switch_has_upstreams_help() -> None:
    assert SPECS[0].switch.help == "Enable the stat collector (default: enabled)."
    assert SPECS[2].switch.help == "Enable the buddyinfo collector (default: disabled)."
    assert SPECS[2].switch.default is False


def test_discover_finds_every_module_under_its_name() -> None:
    names = [spec.name for spec in registry.discover()]
    assert names == sorted(names)
    assert {"loadavg", "meminfo", "os", "time", "uname"} <= set(names)
