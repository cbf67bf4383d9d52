from __future__ import annotations

import subprocess
import sys
from typing import Any

import jmespath
import pytest

from shipper.pipeline.jmes import JmesError, compile_jmes, path_of


DATA = {"a": {"b": 1.0, "c": "x"}, "l": [{"n": "x", "v": 1.0}, {"n": "y"}], "f": 1.5}


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("a.b", 1.0),
        ("a.b.c", None),
        ("nope.x", None),
        ("nope", None),
        ("l[-1].n", "y"),
        ("l[?v > `0`].n", ["x"]),
        ("a.c > `0`", None),
        ("a.c < a.c", None),
        ("to_string(f)", "1.5"),
        ("to_string(a.b)", "1"),
        ("to_string(a)", '{"b":1,"c":"x"}'),
        ("to_string(a.c)", "x"),
        ("f == `1.5`", True),
    ],
)
def test_finds(expression: str, found: Any) -> None:
    assert compile_jmes(expression)(DATA) == found


def test_a_function_that_does_not_go_with_the_type() -> None:
    with pytest.raises(JmesError):
        compile_jmes("sum(a)")(DATA)


@pytest.mark.parametrize("expression", ["a-b", "a[", "a..b", "a b", "$", ".a", "a |"])
def test_refuses_in_one_line(expression: str) -> None:
    with pytest.raises(JmesError) as error:
        compile_jmes(expression)
    assert "\n" not in str(error.value)


def test_a_key_does_not_import_the_package() -> None:
    code = (
        "import sys; from shipper.pipeline.jmes import compile_jmes;"
        "compile_jmes('a.b')({}); assert 'jmespath' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_path_finds_what_the_package_finds() -> None:
    data = {"a": {"b": [{"c": 1.0}, 2.0, None], "d e": "x", "n": None}, "é": "y"}
    for expression in (
        "a.b[0].c", "a.b[1]", "a.b[2]", "a.b[3]", "a.b[-1]", "a.b[-3].c", "a.b[-4]",
        'a."d e"', '"é"', "a.n.x", "a[0]", "a.b.c", '"a"."b"[0]."c"', "a.b[0][0]",
    ):  # fmt: skip
        assert path_of(expression), expression
        assert compile_jmes(expression)(data) == jmespath.search(expression, data)


@pytest.mark.parametrize("expression", ["a[*]", "a.*", "@", "a||b", '"a\\n"', "a[01]"])
def test_what_is_no_path(expression: str) -> None:
    assert path_of(expression) is None
