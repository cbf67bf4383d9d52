from __future__ import annotations

from collections.abc import Callable

import pytest

from exporters.toolkit.decode import DecodeError
from tests.shipper.pipeline.conftest import Rig


USER = r"- regex: {expression: '(?P<user>\w+)'}" + "\n"


def test_a_pair_is_there_once_and_a_label_no_more(rig: Callable[..., Rig]) -> None:
    [out] = rig("- structured_metadata: {where: job, job2: job}").feed("x")
    assert out.metadata == (("where", "test"), ("job2", "test"))
    assert out.labels == {}


def test_the_older_name(rig: Callable[..., Rig]) -> None:
    [out] = rig(USER + "- non_indexed_labels: {user: , absent: }").feed("bob")
    assert out.metadata == (("user", "bob"),)


def test_label_and_extracted_value_that_differ_are_both_kept(
    rig: Callable[..., Rig],
) -> None:
    [out] = rig(USER + "- structured_metadata: {user: }").feed("bob", {"user": "al"})
    assert out.metadata == (("user", "bob"), ("user", "al"))


def test_what_the_source_sent_along_comes_first(rig: Callable[..., Rig]) -> None:
    stages = rig(USER + "- structured_metadata: {user: }")
    [out] = stages.feed("bob", metadata=(("user", "bob"), ("x", "y")))
    assert out.metadata == (("user", "bob"), ("x", "y"))


def test_bytes_that_are_no_utf8_are_no_metadata(rig: Callable[..., Rig]) -> None:
    stages = rig("- regex: {expression: '(?P<all>.*)'}\n- structured_metadata: {all: }")
    [out] = stages.feed("a\udcffb")
    assert out.metadata == ()


def test_refuses_a_name_that_is_none(rig: Callable[..., Rig]) -> None:
    with pytest.raises(DecodeError, match="invalid label name: a-b"):
        rig('- structured_metadata: {"a-b": job}')
