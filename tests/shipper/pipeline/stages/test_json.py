from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from exporters.toolkit.decode import DecodeError


Rig = Callable[..., Any]


@pytest.mark.parametrize(
    ("expressions", "line", "extracted"),
    [
        ("{a: , c: b.c}", '{"a":1,"b":{"c":"x"}}', {"a": 1.0, "c": "x"}),
        ("{a: }", '{"a":true}', {"a": True}),
        ("{a: }", '{"a":null}', {"a": None}),
        ("{a: }", "{}", {"a": None}),
        ("{a: }", "null", {"a": None}),
        ("{a: }", '{"a":[1,{"b":2.50}]}', {"a": '[1,{"b":2.5}]'}),
        ("{a: }", '{"a":{"z":1,"b":"<"}}', {"a": r'{"b":"\u003c","z":1}'}),
        ("{n: length(l)}", '{"l":[1]}', {"n": 1.0}),
        ("{n: sum(l), a: }", '{"l":"x","a":1}', {"a": 1.0}),
        ("{a: }", "plain", {}),
        ("{a: }", "[1]", {}),
        ("{a: }", '{"a":"\udcff"}', {"a": "\udcff"}),
    ],
)
def test_extracts(
    rig: Rig, expressions: str, line: str, extracted: dict[str, Any]
) -> None:
    [out] = rig(f"- json: {{expressions: {expressions}}}").feed(line)
    assert out.extracted == {"job": "test", **extracted}
    assert out.line == line


def test_null_does_not_keep_what_was_extracted(rig: Rig) -> None:
    [out] = rig("- json: {expressions: {job: }}").feed('{"job":null}')
    assert out.extracted == {"job": None}
    assert out.labels == {"job": "test"}


def test_drops_what_is_malformed_and_counts_it(rig: Rig) -> None:
    stages = rig("- json: {expressions: {a: }, drop_malformed: true}")
    assert [out.line for out in stages.feed_all(["x", "{}", "", '{"a":01}'])] == ["{}"]
    assert stages.counts.reasons == {"json_stage": 3}
    assert stages.dropped == ["x", "", '{"a":01}']


def test_what_cannot_be_read_is_not_malformed(rig: Rig) -> None:
    stages = rig("- json: {expressions: {a: }, drop_malformed: true, source: no}")
    assert [out.line for out in stages.feed("x")] == ["x"]


@pytest.mark.parametrize(
    ("keys", "error"),
    [
        ("{}", "config.yaml:2:11: JMES expression is required"),
        (
            "{expressions: {a: }, source: ''}",
            "config.yaml:2:40: empty source",
        ),
        (
            "{expressions: {a: 'b['}}",
            "config.yaml:2:29: could not compile JMES expression: ",
        ),
        (
            "{expressions: {a-b: }}",
            "config.yaml:2:31: could not compile JMES expression: ",
        ),
    ],
)
def test_what_is_wrong(rig: Rig, keys: str, error: str) -> None:
    with pytest.raises(DecodeError) as found:
        rig(f"- json: {keys}")
    [text] = found.value.errors
    assert text.startswith(error)
    assert "\n" not in text
