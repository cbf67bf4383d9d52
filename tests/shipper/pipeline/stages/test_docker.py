from __future__ import annotations

from collections.abc import Callable

import pytest

from exporters.toolkit.decode import DecodeError
from tests.shipper.pipeline.conftest import NOW_NS, Rig


NewRig = Callable[..., Rig]
TIME = 1_700_000_000 * 10**9


def test_unwraps_a_line(rig: NewRig) -> None:
    line = r'{"log":"a\n","stream":"stderr","time":"2023-11-14T22:13:20.000000001Z"}'
    [out] = rig("- docker: {}").feed(line)
    assert (out.line, out.timestamp_ns) == ("a\n", TIME + 1)
    assert out.labels == {"job": "test", "stream": "stderr"}
    assert out.extracted["output"] == "a\n"


@pytest.mark.parametrize(
    "line", ["plain", "", "[1]", "null", "{}", "1", '{"log":', '{"log":null}']
)
def test_what_is_none_stays(rig: NewRig, line: str) -> None:
    [out] = rig("- docker:").feed(line)
    assert (out.line, out.timestamp_ns, out.labels) == (line, NOW_NS, {"job": "test"})


@pytest.mark.parametrize(
    ("log", "line"),
    [
        ('{"a":[1,null]}', '{"a":[1,null]}'),
        ("1.50", "1.5"),
        ("true", "true"),
        ('""', ""),
    ],
)
def test_a_log_that_is_no_text(rig: NewRig, log: str, line: str) -> None:
    [out] = rig("- docker: {}").feed(f'{{"log":{log}}}')
    assert out.line == line


def test_a_line_without_a_time_comes_after_the_last_one(rig: NewRig) -> None:
    run = rig("- docker: {}")
    lines = ['{"time":"2023-11-14T22:13:20Z"}', "plain", '{"time":"x"}']
    assert [out.timestamp_ns for out in run.feed_all(lines)] == [
        TIME,
        TIME + 1,
        TIME + 2,
    ]


def test_bytes_that_are_no_utf8_stay(rig: NewRig) -> None:
    [out] = rig("- docker: {}").feed('{"log":"a\udcff","stream":"\udcff"}')
    assert (out.line, out.labels) == ("a\udcff", {"job": "test"})


def test_has_no_keys(rig: NewRig) -> None:
    with pytest.raises(DecodeError, match="field source not found"):
        rig("- docker: {source: a}")
