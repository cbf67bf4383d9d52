from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, strategies as st

from exporters.node.network import json_fixture


def record(text: str) -> json_fixture.Record:
    return json_fixture.parse_record(text.encode(), "f.json")


def test_fields_go_by_any_case_and_are_zero_where_they_are_not() -> None:
    found = record('{"Name": "a", "BYTES": 7, "mac": "qrvM", "none": null}')
    assert (found.text("name"), found.unsigned("bytes")) == ("a", 7)
    assert found.packed("mac") == b"\xaa\xbb\xcc"
    assert (found.text("none"), found.integer("none"), found.packed("none")) == (
        "",
        0,
        b"",
    )
    assert (found.text("more"), found.integer("more"), found.packed("more")) == (
        "",
        0,
        b"",
    )


def test_nothing_is_an_object_of_zeros() -> None:
    assert record("null").integer("x") == 0
    assert json_fixture.parse_records(b"null", "f.json") == []
    assert len(json_fixture.parse_records(b"[null, {}]", "f.json")) == 2


@pytest.mark.parametrize("text", ["", "{", "[1", "5", '"a"', "[]", "{} x", "\ufeff{}"])
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^f\.json: "):
        record(text)


@pytest.mark.parametrize("text", ["{}", "[5]", "[[]]", "true"])
def test_what_is_no_list_of_objects_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^f\.json: expected"):
        json_fixture.parse_records(text.encode(), "f.json")


@pytest.mark.parametrize(
    "value", ["1.5", '"1"', "true", "[]", "-1", "4294967296", "1e3", "NaN", "9" * 5000]
)
def test_what_is_no_unsigned_integer_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match=r"^f\.json: "):
        record(f'{{"n": {value}}}').unsigned("n")


@pytest.mark.parametrize("value", ["5", '"!!"', '"qr"', '"é"'])
def test_what_is_no_base64_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match=r"^f\.json: n: "):
        record(f'{{"n": {value}}}').packed("n")


def test_half_a_surrogate_pair_can_be_printed() -> None:
    assert record('{"n": "a\\ud800b"}').text("n") == "a?b"


@given(st.binary(max_size=60) | st.just(b"[" * 100_000))
def test_rubbish_raises_only_value_error(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        json_fixture.parse_records(data, "f.json")
    with contextlib.suppress(ValueError):
        json_fixture.parse_record(data, "f.json")
