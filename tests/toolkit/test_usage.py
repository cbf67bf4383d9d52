from __future__ import annotations

import pytest

from exporters.toolkit import usage


ROWS = [
    usage.Row(
        "help",
        "Show context-sensitive help (also try --help-long and --help-man).",
        None,
        "h",
        None,
        False,
    ),
    usage.Row(
        "web.max-requests",
        "Maximum number of parallel scrape requests. Use 0 to disable.",
        "40",
        "",
        None,
        False,
    ),
    usage.Row("path.udev.data.of.this.machine", "udev data.", '"/x"', "", "UDEV", True),
    usage.Row("x", "", "X", "", None, False),
]


def test_two_columns() -> None:
    # Lines of Debian's prometheus-node-exporter --help, flags that fit or do not.
    assert usage.render("demo", "", ROWS, 76) == (
        "usage: demo [<flags>]\n"
        "\n"
        "Flags:\n"
        "  -h, --[no-]help            Show context-sensitive help (also try\n"
        "                             --help-long and --help-man).\n"
        "      --web.max-requests=40  Maximum number of parallel scrape requests.\n"
        "                             Use 0 to disable.\n"
        '      --path.udev.data.of.this.machine="/x" ...  \n'
        "                             udev data. ($UDEV)\n"
        "      --x=X                  \n"
        "\n"
    )


@pytest.mark.parametrize("columns", [1, 20, 34, 80, 400])
def test_any_width_loses_no_word(columns: int) -> None:
    text = usage.render("demo", "About this.", ROWS, columns)
    for row in ROWS:
        assert " ".join(row.help.split()) in " ".join(text.split())


@pytest.mark.parametrize(
    ("defaults", "shown"),
    [
        ((), "A.B"),
        (("",), "A.B"),
        (("/proc",), '"/proc"'),
        (('a"b\\c',), r'"a\"b\\c"'),
        ((40,), "40"),
        ((0,), "0"),
        ((0.5,), "0.5"),
    ],
)
def test_placeholder(defaults: tuple[object, ...], shown: str) -> None:
    assert usage.placeholder("a.b", defaults) == shown


def test_placeholder_of_a_repeatable_flag() -> None:
    assert usage.placeholder("a", (":1",), repeatable=True) == ":1"
    assert usage.placeholder("a", (":1", ":2"), repeatable=True) == ":1..."


def test_placeholder_of_a_duration() -> None:
    assert usage.placeholder("t", (90.0,), is_duration=True) == "1m30s"


def test_width() -> None:
    assert usage.width({"COLUMNS": "33"}) == 33
    assert usage.width({"COLUMNS": "wide"}) > 0
