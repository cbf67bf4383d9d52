from __future__ import annotations

from pathlib import Path

import pytest

from exporters.node.collectors import sysctl
from tests.node.hosts import Seen, collect


def ask(tmp_path: Path, content: str, *flags: str) -> Seen:
    argv = [f"--collector.sysctl.{flag}" for flag in flags]
    return collect(sysctl.COLLECTOR, f"proc/sys/a/b-c: {content}\n", tmp_path, *argv)


@pytest.mark.parametrize(
    ("content", "flag", "values"),
    [
        ("7", "include=a.b-c", {"node_sysctl_a_b_c": 7}),
        ("-7", "include=a.b-c", {"node_sysctl_a_b_c": -7}),
        ("0x10", "include=a.b-c", {"node_sysctl_a_b_c": 16}),
        ("0644", "include=a.b-c", {"node_sysctl_a_b_c": 420}),
        ("18446744073692774399", "include=a.b-c",
         {"node_sysctl_a_b_c": 18446744073692774399}),
        ("7 8", "include=a.b-c",
         {'node_sysctl_a_b_c{index="0"}': 7, 'node_sysctl_a_b_c{index="1"}': 8}),
        ("7 8", "include=a.b-c:x,y",
         {"node_sysctl_a_b_c_x": 7, "node_sysctl_a_b_c_y": 8}),
        ("x y", "include-info=a.b-c",
         {'node_sysctl_info{name="a.b-c",value="x",index="0"}': 1,
          'node_sysctl_info{name="a.b-c",value="y",index="1"}': 1}),
    ],
)  # fmt: skip
def test_what_is_exported(
    content: str, flag: str, values: dict[str, float], tmp_path: Path
) -> None:
    assert ask(tmp_path, content, flag) == (values, None)


@pytest.mark.parametrize(
    ("content", "flag", "reason"),
    [
        ("", "include=a.b-c", "sysctl a.b-c has no values"),
        ("7", "include=a.b-c:x", r"has 1 value\(s\), but the flag names 1"),
        ("7 8", "include=a.b-c:x", r"has 2 value\(s\), but the flag names 1"),
        ("7 8", "include=a.b-c:x,y,z", r"has 2 value\(s\), but the flag names 3"),
        ("x y", "include-info=a.b-c:x,y", "info metrics take no names"),
        ("x", "include=a.b-c", "expected an unsigned integer of 64 bits, got 'x'"),
        ("-99999999999999999999", "include=a.b-c", "expected an integer of 64 bits"),
        ("7", "include=a.d", "a/d: there is no such sysctl"),
        ("7", "include=a", "Is a directory"),
        ("7", "include=a.\0", "null byte"),
    ],
)
def test_what_fails_costs_only_itself(
    content: str, flag: str, reason: str, tmp_path: Path
) -> None:
    host = f"proc/sys/a/b-c: {content}\nproc/sys/z: 1\n"
    argv = [f"--collector.sysctl.{flag}", "--collector.sysctl.include-info=z"]
    seen = collect(sysctl.COLLECTOR, host, tmp_path, *argv)
    with pytest.raises((ValueError, OSError), match=reason):
        raise seen.error or AssertionError("it did not fail")
    assert seen.values == {'node_sysctl_info{name="z",value="1",index="0"}': 1}


def test_long_values_are_not_cut(tmp_path: Path) -> None:
    ports = " ".join(["50000"] * 50)
    assert len(ask(tmp_path, ports, "include=a.b-c").values) == 50
