from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from shipper.pipeline.gojson import MalformedError, marshal, parse_object


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda items: st.lists(items) | st.dictionaries(st.text(), items),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), VALUES))
def test_what_is_written_is_read_again(value: dict[str, Any]) -> None:
    assert parse_object(marshal(value)) == value


@given(st.text())
def test_any_text_is_an_object_or_malformed(text: str) -> None:
    try:
        value = parse_object(text)
    except MalformedError:
        return
    assert json.loads(text) in (value, None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "[]",
        '"x"',
        "1",
        "true",
        "{",
        '{"a":NaN}',
        '{"a":Infinity}',
        '{"a":-Infinity}',
        '{"a":01}',
        '{"a":1.}',
        '{"a":.5}',
        '{"a":+1}',
        '{"a":1e400}',
        '{"a":"\t"}',
        '{"a":"\\x41"}',
        '{"a":1}x',
        '\ufeff{"a":1}',
        '{"a":' + "[" * 100_000,
    ],
)
def test_malformed(text: str) -> None:
    with pytest.raises(MalformedError):
        parse_object(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("null", {}),
        ('{"a":1}\n', {"a": 1.0}),
        ('{"a":1,"a":2}', {"a": 2.0}),
        (r'{"a":"\ud83d\ude00"}', {"a": "😀"}),
        (r'{"a":"\ud800"}', {"a": "\ufffd"}),
        (r'{"a":"\ud800\u0041"}', {"a": "\ufffdA"}),
        (r'{"a":"\ude00\ud83d"}', {"a": "\ufffd\ufffd"}),
        (r'{"a":"\\ud800"}', {"a": r"\ud800"}),
        (r'{"a":"\udcff"}', {"a": "\ufffd"}),
        ('{"a":"\udcff"}', {"a": "\udcff"}),
    ],
)
def test_objects(text: str, value: object) -> None:
    assert parse_object(text) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1.0, "a": [True, None, "x"]}, '{"a":[true,null,"x"],"b":1}'),
        ([1.5, 1e21, 1e20], "[1.5,1e+21,100000000000000000000]"),
        ([1e-7, 1e-6, -0.0], "[1e-07,0.000001,-0]"),
        ("<&>\u2028\udcff", r'"\u003c\u0026\u003e\u2028\ufffd"'),
        ('\x00\b\n"\\/\x7f', '"\\u0000\\u0008\\n\\"\\\\/\x7f"'),
        (3, "3"),
    ],
)
def test_marshal(value: object, text: str) -> None:
    assert marshal(value) == text


def test_marshal_refuses_what_is_not_json() -> None:
    with pytest.raises(TypeError, match="cannot write object as JSON"):
        marshal(object())
