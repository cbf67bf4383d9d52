from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, strategies as st

from shipper.journal.labels import Labeller, discovered, line
from shipper.relabel import RelabelConfig


FIELDS = {
    "MESSAGE": b"hello",
    "PRIORITY": b"3",
    "_SYSTEMD_UNIT": b"a.service",
    "_PID": b"1",
}
UNIT = RelabelConfig(source_labels=("__journal__systemd_unit",), target_label="unit")
KEYWORD = RelabelConfig(
    source_labels=("__journal_priority_keyword",), target_label="level"
)


@pytest.mark.parametrize(
    ("value", "keyword"),
    [(b"0", "emerg"), (b"3", "error"), (b"7", "debug"), (b"8", "8"), (b"x", "x")],
)
def test_priorities(value: bytes, keyword: str) -> None:
    found = dict(discovered({"PRIORITY": value}, lambda _: True))
    assert found == {
        "__journal_priority": value.decode(),
        "__journal_priority_keyword": keyword,
    }


def test_the_message_is_the_line() -> None:
    assert line(FIELDS, as_json=False) == b"hello"
    assert line({"MESSAGE": b""}, as_json=False) == b""
    assert line({"_PID": b"1"}, as_json=False) is None


def test_json_is_as_go_writes_it() -> None:
    fields = {"B": b'<a> & "\\\n\t\x01', "A": b"\xff\xe2\x80\xa8\xc3\xa9", "C": b""}
    assert (
        line(fields, as_json=True)
        == (
            '{"A":"\ufffd\\u2028é",'
            '"B":"\\u003ca\\u003e \\u0026 \\"\\\\\\n\\t\\u0001","C":""}'
        ).encode()
    )
    assert line({}, as_json=True) == b"{}"


@given(st.dictionaries(st.text("ABC_", min_size=1), st.binary(max_size=20)))
def test_json_is_json(fields: dict[str, bytes]) -> None:
    text = line(fields, as_json=True)
    assert text is not None
    assert json.loads(text) == {
        name: value.decode("utf-8", "replace") for name, value in fields.items()
    }


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([], {"job": "j"}),
        ([UNIT, KEYWORD], {"job": "j", "unit": "a.service", "level": "error"}),
        ([RelabelConfig(action="drop", source_labels=("__journal__pid",), regex="1")],
         {}),
        ([RelabelConfig(action="keep", source_labels=("__journal__pid",), regex="1")],
         {"job": "j"}),
        ([RelabelConfig(action="labelmap", regex="__journal_(message|priority)")],
         {"job": "j", "message": "hello", "priority": "3"}),
        ([RelabelConfig(action="labelmap", regex="__journal__(.+)",
                        replacement="__tmp_$1"),
          RelabelConfig(source_labels=("__tmp_pid",), target_label="pid")],
         {"job": "j", "pid": "1"}),
        ([RelabelConfig(action="keepequal", source_labels=("job",),
                        target_label="__journal__pid")], {}),
        ([RelabelConfig(action="labeldrop", regex="job"), UNIT],
         {"unit": "a.service"}),
    ],
)  # fmt: skip
def test_rules(rules: Sequence[RelabelConfig], expected: dict[str, Any]) -> None:
    assert dict(Labeller({"job": "j"}, rules).labels(FIELDS)) == expected


def test_constant_labels_are_over_the_fields() -> None:
    labeller = Labeller({"__journal__systemd_unit": "mine"}, [UNIT])
    assert labeller.labels(FIELDS) == (("unit", "mine"),)


def test_entries_that_differ_in_nothing_that_matters_are_labelled_once() -> None:
    labeller = Labeller({"job": "j"}, [UNIT])
    first = labeller.labels(FIELDS)
    assert labeller.labels({**FIELDS, "_PID": b"2", "MESSAGE": b"x"}) is first
    labeller.labels({**FIELDS, "_SYSTEMD_UNIT": b"b"})
    assert [dict(labels)["unit"] for labels in labeller.streams] == ["a.service", "b"]
