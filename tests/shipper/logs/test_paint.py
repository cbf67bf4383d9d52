from __future__ import annotations

import json
import re
from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies as st

from shipper.logs.common import Common
from shipper.logs.lines import Line, parse_streams
from shipper.logs.paint import Painter, Style, timestamp
from shipper.logs.safe import coloured, escaped, uncoloured
from tests.shipper.logs.conftest import NOW


WEB = (("container_name", "web"), ("service_name", "web"), ("stream", "stdout"))
DB = (("container_name", "db"), ("service_name", "db"), ("stream", "stdout"))
COMMAND = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f]")


def painted(*lines: Line, **style: Any) -> list[str]:
    common = Common()
    common.learn(lines)
    painter = Painter(Style(zone=style.pop("zone", UTC), **style), common)
    return [painter.line(line) for line in lines]


def test_only_labels_that_differ_are_shown() -> None:
    lines = Line(NOW, WEB, "a"), Line(NOW + 5_000_000, DB, "b ")
    assert painted(*lines) == [
        '2023-11-14T22:13:20.000Z {container_name="web"} a\n',
        '2023-11-14T22:13:20.005Z {container_name="db"} b\n',
    ]
    assert painted(lines[0]) == ["2023-11-14T22:13:20.000Z a\n"]


def test_what_is_common_shrinks_as_lines_come() -> None:
    common = Common()
    assert common.learn([Line(1, WEB, "")])
    assert common.labels == dict(WEB)
    assert not common.learn([Line(2, WEB, "other")])
    assert common.learn([Line(3, DB, "")])
    assert common.labels == {"stream": "stdout"}


@pytest.mark.parametrize(
    ("style", "labels"),
    [
        ({"no_labels": True}, ""),
        ({"include": ("stream", "nope")}, '{stream="stdout"} '),
        ({"exclude": ("container_name",)}, ""),
        ({"include_common": True},
         '{container_name="web", service_name="web", stream="stdout"} '),
    ],
)  # fmt: skip
def test_the_flags_of_labels(style: dict[str, Any], labels: str) -> None:
    lines = Line(NOW, WEB, "a"), Line(NOW, DB, "b")
    assert painted(*lines, **style)[0] == f"2023-11-14T22:13:20.000Z {labels}a\n"


def test_colours_are_of_the_stream_and_the_same_each_time() -> None:
    one, two, three = painted(
        Line(NOW, WEB, "a"), Line(NOW, DB, "b"), Line(NOW, WEB, "c"), colours=True
    )
    assert one.removesuffix("a\n") == three.removesuffix("c\n")
    assert re.findall(r"\x1b\[(\d+)m\{", one) != re.findall(r"\x1b\[(\d+)m\{", two)


def test_jsonl() -> None:
    line = Line(NOW + 120, WEB[:1], 'say "hi"\n', (("trace", "1"),))
    (shown,) = painted(line, output="jsonl")
    assert shown == (
        '{"labels":{"container_name":"web","trace":"1"},"line":"say \\"hi\\"\\n",'
        '"timestamp":"2023-11-14T22:13:20.00000012Z"}\n'
    )
    assert json.loads(painted(line, output="jsonl", no_labels=True)[0]) == {
        "line": 'say "hi"\n',
        "timestamp": "2023-11-14T22:13:20.00000012Z",
    }


def test_raw_is_the_line_and_plain_leaves_it_alone() -> None:
    line = Line(NOW, WEB, " \x1b[31mred\x1b[0m \x07")
    assert painted(line, output="raw") == [" \\x1b[31mred\\x1b[0m \\x07\n"]
    assert painted(line, output="raw", plain=True) == [line.text + "\n"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "\x1b[31mred\x1b[0m\x1b[0m"),
        ("\x1b[1;38;5;9mx", "\x1b[1;38;5;9mx\x1b[0m"),
        ("\x1b[8mhidden", "\\x1b[8mhidden"),
        ("\x1b[1;8mhidden", "\\x1b[1;8mhidden"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x1b[2J\x1b[31m", "\\x1b[2J\x1b[31m\x1b[0m"),
        ("a\tb\r\nc\x9b2Jd\x7f", "a\tb\\r\\nc\\x9b2Jd\\x7f"),
        ("\u202eevil\ud800", "\\u202eevil\\ud800"),
        ("grüße 日本", "grüße 日本"),
    ],
)
def test_only_colours_reach_a_terminal(text: str, shown: str) -> None:
    assert coloured(text) == shown


@given(st.text() | st.text(alphabet="\x1b[]0;18mJ\x9b\x07a"))
def test_no_line_is_a_command(text: str) -> None:
    assert not COMMAND.search(escaped(text))
    assert not COMMAND.search(uncoloured(text))
    left = re.sub(r"\x1b\[[\d;]*m", "", coloured(text))
    assert not COMMAND.search(left)


@given(st.text(max_size=20), st.dictionaries(st.text(max_size=5), st.text(max_size=5)))
def test_jsonl_is_one_line_of_json_whatever_it_holds(
    text: str, labels: dict[str, str]
) -> None:
    (line,) = painted(Line(NOW, tuple(sorted(labels.items())), text), output="jsonl")
    assert not COMMAND.search(line[:-1])
    assert json.loads(line)["line"] == text
    assert json.loads(line)["labels"] == labels


def test_zones() -> None:
    assert timestamp(NOW, ZoneInfo("Europe/Berlin"), digits=3) == (
        "2023-11-14T23:13:20.000+01:00"
    )
    assert timestamp(NOW, ZoneInfo("America/St_Johns"), digits=9) == (
        "2023-11-14T18:43:20-03:30"
    )


def test_lines_of_one_time_keep_the_order_they_were_stored_in() -> None:
    streams = [{"stream": {"a": "b"}, "values": [["2", "d"], ["1", "c"], ["1", "b"]]}]
    texts = [line.text for line in parse_streams(streams, forward=False)]
    assert texts == ["b", "c", "d"]
