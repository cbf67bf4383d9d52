from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import given, strategies as st

from exporters.toolkit.regex import Regex
from shipper.pipeline.stages.decolorize import _COMMAND
from tests.shipper.pipeline.conftest import Rig


# Upstream's pattern (pkg/logql/log/fmt.go), for RE2.
UPSTREAM = Regex(
    "[\u001b\u009b][[\\]()#;?]*(?:(?:(?:[a-zA-Z\\d]*(?:;[a-zA-Z\\d]*)*)?\u0007)"
    "|(?:(?:\\d{1,4}(?:;\\d{0,4})*)?[\\dA-PRZcf-ntqry=><~]))"
)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("\x1b[0;31mred\x1b[0m plain", "red plain"),
        ("\x1b]0;title\x07 after", " after"),
        ("\x1b[38;5;200mx\x1b[m", "x"),
        ("\x9b1mone", "one"),
        ("\x1b", "\x1b"),
        ("ünï \x1b[32m☃\x1b[0m \udcff", "ünï ☃ \udcff"),
        ("plain", "plain"),
    ],
)
def test_takes_commands_out(rig: Callable[..., Rig], line: str, expected: str) -> None:
    assert [out.line for out in rig("- decolorize:").feed(line)] == [expected]


@given(st.text(alphabet="\x1b\x9b[]();?#\x07 09aAmQR=~é", max_size=30))
def test_finds_what_upstreams_pattern_finds(text: str) -> None:
    ours = _COMMAND.search(text)
    theirs = UPSTREAM.find(text)
    assert (ours and ours[0]) == (theirs and theirs[0])


@pytest.mark.parametrize("filler", [";", "[", "a", "1;", ";1", "\x1b[", "1234;"])
def test_time_grows_with_the_line_only(rig: Callable[..., Rig], filler: str) -> None:
    stages = rig("- decolorize:")
    begun = time.process_time()
    stages.feed("\x1b" + filler * 100_000 + "\n")
    assert time.process_time() - begun < 2.0, "squared, it would be minutes"
