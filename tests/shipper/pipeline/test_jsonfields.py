from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, strategies as st

from shipper.pipeline.gojson import marshal, parse_object
from shipper.pipeline.jmes import compile_jmes, path_of
from shipper.pipeline.jsonfields import Path, field_reader
from shipper.pipeline.values import text_of


KEYS = st.sampled_from(["a", "b", "c", "é", ""])
NUMBERS = st.sampled_from(
    ["0", "-0", "0.0", "1", "-1", "1.50", "1e3", "-1e-400", "9" * 30, "01", "-"]
)
PIECES = st.sampled_from([
    '"a"', '"b":', ":", ",", "{", "}", "[", "]", "null", "true", "NaN", " ", "\n", "x",
    '"\\ud800"', '"\\ud83d\\ude00"', '"\\u0041"', '"\\x"', '"\udcff"', '"\x01"',
])  # fmt: skip
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda items: st.lists(items) | st.dictionaries(KEYS, items),
    max_leaves=10,
)
EXPRESSIONS = st.lists(
    st.sampled_from(["a", "b", "a.b", "a.c", "b.a.c", '"é".a', "c", '"é"']),
    min_size=1,
    unique=True,
)


@given(
    EXPRESSIONS,
    st.dictionaries(KEYS, VALUES).map(marshal)
    | st.lists(PIECES | NUMBERS).map("".join)
    | NUMBERS.map('{{"a":{},"b":2}}'.format)
    | NUMBERS.map('{{"a":{{"b":\t{}}}}}'.format),
)
def test_a_value_that_is_read_is_the_exact_one(
    expressions: list[str], text: str
) -> None:
    read = field_reader([_path(expression) for expression in expressions])
    values = None if read is None else read(text)
    if values is None:
        return
    data = parse_object(text)
    exact = [compile_jmes(expression)(data) for expression in expressions]
    assert list(values) == exact
    assert list(map(text_of, values)) == list(map(text_of, exact))


@pytest.mark.parametrize(
    "text",
    [
        '{"a":"x","b":{"c":1.5,"d":[]}}',
        '{"b":{"c":1.5},"z":{},"a":"x"} ',
        '{"a":"y","b":{"c":1},"a":"x","b":{"c":1.5}}',
    ],
)
def test_reads_what_is_there(text: str) -> None:
    read = field_reader([("a",), ("b", "c"), ("b", "x")])
    assert read is not None
    assert read(text) == ("x", 1.5, None)


@pytest.mark.parametrize("text", ["", "null", "[]", '{"b":null}', '{"a":[]}', "{"])
def test_leaves_to_others(text: str) -> None:
    read = field_reader([("a",), ("b", "c")])
    assert read is not None
    assert read(text) is None


@pytest.mark.parametrize(
    "paths", [[("a", 0)], [("a",), ("a", "b")], [("a", "b"), ("a",)], [("a", "b", 1)]]
)
def test_is_not_for_all_paths(paths: list[Path]) -> None:
    assert field_reader(paths) is None


def test_the_package_is_loaded_when_it_is_needed() -> None:
    code = (
        "import sys; from shipper.pipeline.stages import STAGES; STAGES['json'];"
        "assert 'msgspec' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def _path(expression: str) -> Any:
    return path_of(expression)
