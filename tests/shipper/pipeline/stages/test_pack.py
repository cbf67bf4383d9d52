from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given, strategies as st

from exporters.toolkit.decode import DecodeError
from tests.shipper.pipeline.conftest import NOW_NS, Rig


TEXT = st.text(st.characters(exclude_categories=["Cs"]))


def test_packs_labels_sorted_and_takes_them_away(rig: Callable[..., Rig]) -> None:
    stages = rig("- pack: {labels: [job, env, absent], ingest_timestamp: false}")
    [out] = stages.feed('say "<hi>"', {"job": "t", "env": "&", "other": "o"})
    assert out.line == (r'{"env":"\u0026","job":"t","_entry":"say \"\u003chi\u003e\""}')
    assert out.labels == {"other": "o"}


@pytest.mark.parametrize(
    ("stage", "expected_ns"),
    [
        ("{}", NOW_NS),
        ("", NOW_NS),
        ("{ingest_timestamp: true}", NOW_NS),
        ("{ingest_timestamp: false}", 5),
        ('{ingest_timestamp: "false"}', 5),
    ],
)
def test_when(rig: Callable[..., Rig], stage: str, expected_ns: int) -> None:
    [out] = rig(f"- pack: {stage}").feed("x", timestamp_ns=5)
    assert (out.timestamp_ns, out.line) == (expected_ns, '{"_entry":"x"}')


def test_a_single_label_needs_no_list(rig: Callable[..., Rig]) -> None:
    [out] = rig("- pack: {labels: job}").feed("x")
    assert out.line == '{"job":"test","_entry":"x"}'


@given(line=TEXT, value=TEXT)
def test_is_json_of_what_was_there(line: str, value: str) -> None:
    [out] = Rig("- pack: {labels: [v]}").feed(line, {"v": value})
    assert json.loads(out.line) == {"v": value, "_entry": line}


def test_a_byte_that_is_no_utf8_is_a_replacement_character(
    rig: Callable[..., Rig],
) -> None:
    [out] = rig("- pack: {}").feed("a\udcff")
    assert out.line == r'{"_entry":"a\ufffd"}'


def test_refuses_what_is_no_switch(rig: Callable[..., Rig]) -> None:
    with pytest.raises(DecodeError, match="maybe"):
        rig("- pack: {ingest_timestamp: maybe}")
