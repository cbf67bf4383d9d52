from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from exporters.toolkit.decode import DecodeError


Rig = Callable[..., Any]


@pytest.mark.parametrize(
    ("expression", "line", "extracted"),
    [
        (r"(?P<a>\w+) (?P<b>\w+)", "x one two", {"a": "x", "b": "one"}),
        (r"(?P<a>x)?(?P<b>y)", "y", {"a": "", "b": "y"}),
        ("(?P<v>a)|(?P<v>b)", "a", {"v": ""}),  # the last group of a name counts
        ("(?P<v>a)|(?P<v>b)", "b", {"v": "b"}),
        ("(a)(?P<v>b)", "ab", {"v": "b"}),
        ("^(?P<v>.)", "\udcffx", {"v": "\udcff"}),
        ("(?P<v>b)", "no", {}),
        ("(?P<v>b*)", "", {"v": ""}),
    ],
)
def test_extracts(
    rig: Rig, expression: str, line: str, extracted: dict[str, str]
) -> None:
    [out] = rig(f"- regex: {{expression: '{expression}'}}").feed(line)
    assert out.extracted == {"job": "test", **extracted}
    assert out.line == line


@pytest.mark.parametrize(
    ("value", "got"),
    [("1.50", "1.5"), ("true", "true"), ('"x"', "x"), ("null", None), ("[1]", "[1]")],
)
def test_source(rig: Rig, value: str, got: str | None) -> None:
    stages = rig(
        "- json: {expressions: {v: }}\n- regex: {source: v, expression: '(?P<got>.+)'}"
    )
    [out] = stages.feed(f'{{"v":{value}}}')
    assert out.extracted.get("got") == got


def test_a_missing_source_does_nothing(rig: Rig) -> None:
    [out] = rig("- regex: {source: no, expression: '(?P<got>.*)'}").feed("x")
    assert "got" not in out.extracted


@pytest.mark.parametrize(
    ("keys", "error"),
    [
        ("{}", "config.yaml:2:12: expression is required"),
        ("{expression: x, source: ''}", "config.yaml:2:36: empty source"),
        (
            "{expression: '(?=x)'}",
            (
                "config.yaml:2:25: could not compile regular expression: "
                "error parsing regexp: invalid or unsupported Perl syntax: `(?=`"
            ),
        ),
    ],
)
def test_what_is_wrong(rig: Rig, keys: str, error: str) -> None:
    with pytest.raises(DecodeError) as found:
        rig(f"- regex: {keys}")
    assert found.value.errors == (error,)
