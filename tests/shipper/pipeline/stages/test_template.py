from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from exporters.toolkit.decode import DecodeError


Rig = Callable[..., Any]


@pytest.mark.parametrize(
    ("source", "template", "got"),
    [
        ("job", "{{ .Value | ToUpper }}", "TEST"),
        ("new", "{{ .job }}/{{ .Entry }}/{{ .Value }}", "test/line \udcff/<no value>"),
        ("Value", "{{ .Value }}{{ .job }}", "<no value>test"),
        ("Entry", "{{ .Entry }}!", "line \udcff!"),
        ("job", "", None),
        ("job", "{{ if false }}x{{ end }}", None),
        ("new", "{{ .Entry.x }}", None),
        ("job", "{{ fail `no` }}", "test"),
    ],
)
def test_renders(rig: Rig, source: str, template: str, got: str | None) -> None:
    stages = rig(f"- template: {{source: {source}, template: '{template}'}}")
    [out] = stages.feed("line \udcff")
    assert out.extracted.get(source) == got
    assert out.line == "line \udcff"
    assert out.labels == {"job": "test"}


def test_values_are_text(rig: Rig) -> None:
    stages = rig(
        "- json: {expressions: {n: , t: , u: , l: }}\n"
        "- template: {source: x, template: '{{ .n }} {{ .t }} {{ .u }} {{ .l }}'}"
    )
    [out] = stages.feed('{"n":1.50,"t":true,"u":null,"l":[1]}')
    assert out.extracted["x"] == "1.5 true <no value> [1]"


def test_complains_once_a_minute(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    stages = rig("- template: {source: x, template: '{{ .job.x }}'}")
    with caplog.at_level(logging.WARNING):
        stages.feed_all(["a", "b"])
    [record] = caplog.records
    assert "can't evaluate field x" in record.__dict__["fields"]["err"]


@pytest.mark.parametrize(
    ("keys", "error"),
    [
        ("{}", "config.yaml:2:15: template source value is required"),
        (
            "{source: a, template: '{{ nope }}'}",
            (
                "config.yaml:2:37: template: pipeline_template:1: "
                'function "nope" not defined'
            ),
        ),
    ],
)
def test_what_is_wrong(rig: Rig, keys: str, error: str) -> None:
    with pytest.raises(DecodeError) as found:
        rig(f"- template: {keys}")
    assert found.value.errors == (error,)
