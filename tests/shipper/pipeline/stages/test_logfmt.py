from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from exporters.toolkit.decode import DecodeError


Rig = Callable[..., Any]


def test_extracts_by_key_and_keeps_what_is_before_a_mistake(rig: Rig) -> None:
    stages = rig("- logfmt: {mapping: {level: , message: msg, also: msg, no: }}")
    [out] = stages.feed('level=info msg="a b" =')
    assert out.extracted == {
        "job": "test",
        "level": "info",
        "message": "a b",
        "also": "a b",
    }


def test_a_source(rig: Rig) -> None:
    stages = rig("- logfmt: {mapping: {a: }, source: job}")
    [out] = stages.feed("a=1", {"job": "a=2"})
    assert out.extracted["a"] == "2"
    [out] = stages.feed("a=1", {})
    assert "a" not in out.extracted


def test_complains_once_a_minute(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    stages = rig("- logfmt: {mapping: {a: }}")
    with caplog.at_level(logging.ERROR):
        stages.feed_all(["=", "=", "="])
        stages.clock.advance(61)
        stages.feed("=")
    fields = [record.__dict__["fields"] for record in caplog.records]
    assert [found["suppressed"] for found in fields] == [0, 2]
    assert "unexpected '='" in fields[0]["err"]


@pytest.mark.parametrize(
    ("keys", "error"),
    [
        ("{}", "config.yaml:2:13: logfmt mapping is required"),
        ("{mapping: {a: }, source: ''}", "config.yaml:2:38: empty source"),
    ],
)
def test_what_is_wrong(rig: Rig, keys: str, error: str) -> None:
    with pytest.raises(DecodeError) as found:
        rig(f"- logfmt: {keys}")
    assert found.value.errors == (error,)
