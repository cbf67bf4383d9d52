from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from exporters.toolkit.decode import DecodeError


Rig = Callable[..., Any]


@pytest.mark.parametrize(
    ("expression", "replace", "line", "result", "extracted"),
    [
        (r"(\d+) - (\S+)", "*", "11 - a 12 - b", "* - * * - *", {}),
        (r"\d+", "*", "a 12", "a 12", {}),
        ("(?P<x>a)", "<{{ .Value }}>", "aba", "<a>b<a>", {"x": "<a>"}),
        ("(?P<all>a(?P<in>b))", "-", "ab", "-", {"all": "-", "in": "-"}),
        ("(?P<x>x)?(?P<y>y)", "-", "y xy", "- --", {"y": "-"}),
        ("(x*)", "-", "abc", "-a-b-c-", {}),
        (r"(\d)", "$1", "a1", "a$1", {}),
        (r"(\d)", "{{ .job }}", "a1", "atest", {}),
        (r"(\d)", "", "a1", "a", {}),
        ("(?P<x>b.)", "<{{ .Value }}>", "üb\udcff", "ü<b\udcff>", {"x": "<b\udcff>"}),
        (r"(?P<x>\d)", "{{ if eq .Value `2` }}{{ fail `` }}{{ end }}n", "12", "12", {}),
        ("(x)", "y", "none", "none", {}),
    ],
)
def test_replaces(
    rig: Rig,
    *,
    expression: str,
    replace: str,
    line: str,
    result: str,
    extracted: dict[str, str],
) -> None:
    stages = rig(f"- replace: {{expression: '{expression}', replace: '{replace}'}}")
    [out] = stages.feed(line)
    assert out.line == result
    assert out.extracted == {"job": "test", **extracted}


def test_in_a_source(rig: Rig) -> None:
    stages = rig("- replace: {source: job, expression: '(t)', replace: T}")
    [out] = stages.feed("t")
    assert out.line == "t"
    assert out.extracted["job"] == "TesT"
    assert out.labels["job"] == "test"
    [out] = stages.feed("t", {})
    assert out.extracted == {}


@pytest.mark.parametrize(
    ("keys", "error"),
    [
        ("{}", "config.yaml:2:14: expression is required"),
        (
            "{expression: x, source: ''}",
            "config.yaml:2:38: empty source in replace stage",
        ),
        (
            "{expression: '('}",
            (
                "config.yaml:2:27: could not compile regular expression: "
                "error parsing regexp: missing closing ): `(`"
            ),
        ),
        (
            "{expression: x, replace: '{{'}",
            "config.yaml:2:39: template: pipeline_template:1: unclosed action",
        ),
    ],
)
def test_what_is_wrong(rig: Rig, keys: str, error: str) -> None:
    with pytest.raises(DecodeError) as found:
        rig(f"- replace: {keys}")
    assert found.value.errors == (error,)
