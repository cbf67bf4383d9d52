"""What runs against what."""

from __future__ import annotations

import sys

import pytest

from benchmarks import programs
from benchmarks.measure import Plan, turn, with_port
from benchmarks.process import BenchmarkError


KINGPIN_HELP = """
      --collector.arp.device-include=COLLECTOR.ARP.DEVICE-INCLUDE
                                 Regexp of arp devices to include
      --collector.arp            Enable the arp collector (default: enabled).
      --collector.netclass       Enable the netclass collector (default:
                                 enabled).
      --[no-]collector.kernel_hung
                                 Enable the kernel_hung collector (default:
                                 enabled).
      --[no-]collector.arp.netlink
                                 Use netlink to gather stats instead of
                                 /proc/net/arp (default: enabled).
      --[no-]collector.wifi      Enable the wifi collector (default: disabled).
      --collector.disable-defaults
                                 Set all collectors to disabled by default.
"""


def test_collectors_of_a_help_text() -> None:
    assert programs.collectors(KINGPIN_HELP) == {
        "arp": True,
        "netclass": True,
        "kernel_hung": True,
        "wifi": False,
    }


def test_programs_get_nothing_that_they_would_misread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("NGINX", "TIMEOUT", "GOGC", "PYTHONHASHSEED"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("PATH", "/bin")
    assert not {"NGINX", "TIMEOUT", "GOGC", "PYTHONHASHSEED"} & set(
        programs.environment()
    )
    assert (
        programs.environment({"A": "b"}).items() >= {"PATH": "/bin", "A": "b"}.items()
    )


@pytest.mark.parametrize("value", [None, "", "/nonexistent"])
def test_an_original_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.delenv("NODE_EXPORTER", raising=False)
    if value is not None:
        monkeypatch.setenv("NODE_EXPORTER", value)
    with pytest.raises(BenchmarkError, match=r"\$NODE_EXPORTER: .*make bench"):
        programs.original("NODE_EXPORTER")


def test_an_interpreter_of_this_version() -> None:
    found = programs.interpreter()
    version = ".".join(map(str, sys.version_info[:2]))
    assert found.version.startswith(f"{version}.")


@pytest.mark.parametrize(
    ("scrapes", "rounds", "sizes"),
    [
        (200, 10, [20] * 10),
        (3, 10, [1, 1, 1]),
        (7, 3, [3, 2, 2]),
        (1, 1, [1]),
    ],
)
def test_every_scrape_is_in_a_round(
    scrapes: int, rounds: int, sizes: list[int]
) -> None:
    assert Plan(scrapes, rounds).sizes() == sizes


def test_they_take_turns_in_going_first() -> None:
    assert [turn(index) for index in range(3)] == [(0, 1), (1, 0), (0, 1)]


def test_with_port() -> None:
    assert with_port(["a", "--l=:{port}"], 9) == ["a", "--l=:9"]
