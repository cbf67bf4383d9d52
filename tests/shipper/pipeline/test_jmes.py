from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from shipper.pipeline.jmes import JmesError, compile_jmes


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
