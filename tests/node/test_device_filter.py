from __future__ import annotations

import pytest

from exporters.node.device_filter import DeviceFilter, renamed
from exporters.toolkit.errors import StartError
from exporters.toolkit.flags import Program, string


NEW = string("x.device-exclude", "", default="^lo$")
OLD = string("x.ignored-devices", "", hidden=True)


@pytest.mark.parametrize(
    ("exclude", "include", "name", "ignored"),
    [
        ("", "", "eth0", False),
        ("th", "", "eth0", True),
        ("^veth", "", "eth0", False),
        ("", "^eth", "eth0", False),
        ("", "^eth", "lo", True),
        ("0$", "^eth", "eth0", True),
        ("0$", "^eth", "eth1", False),
    ],
)
def test_ignored(exclude: str, include: str, name: str, ignored: bool) -> None:
    assert DeviceFilter.compile(exclude, include).ignored(name) is ignored


def test_a_bad_pattern_ends_the_start() -> None:
    with pytest.raises(StartError, match=r"missing closing \): `\(`"):
        DeviceFilter.compile("(", "")


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        ((), "^lo$"),
        (("--x.device-exclude=a",), "a"),
        (("--x.ignored-devices=b",), "b"),
    ],
)
def test_the_old_name_stands_in(argv: tuple[str, ...], expected: str) -> None:
    values = Program("x", "", (NEW, OLD)).parse(argv, {})
    assert renamed(values, NEW, OLD, taken=values.given(NEW)) == expected


def test_both_names_are_one_too_many() -> None:
    argv = ("--x.device-exclude=a", "--x.ignored-devices=b")
    values = Program("x", "", (NEW, OLD)).parse(argv, {})
    expected = "--x.ignored-devices and --x.device-exclude are mutually exclusive"
    with pytest.raises(StartError, match=expected):
        renamed(values, NEW, OLD)
