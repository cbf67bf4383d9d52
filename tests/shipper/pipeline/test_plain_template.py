from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, strategies as st

from shipper.pipeline.gotemplate import Template, TemplateError, compile_template
from shipper.pipeline.plain_template import Unsure, plain_template


WORDS = st.sampled_from([
    ".a", ".b", ".none", ".a.b", '"x"', '"a"', "`x`", "-1", "1", "0", "01", "ToUpper",
    "TrimSpace", "Trim", "TrimPrefix", "Replace", "replace", "upper", "printf", "|",
    "-", "{{", "}}", "nil", "true", "if", "end", "$x",
])  # fmt: skip
ACTIONS = st.builds(
    "{{{{{}{}{}{}{}}}}}".format,
    st.sampled_from(["", "-", "- "]),
    st.sampled_from(["", " ", "\t", "\n"]),
    st.lists(WORDS, max_size=6).map(" ".join),
    st.sampled_from(["", " ", " \t"]),
    st.sampled_from(["", "-", " -"]),
)
TEMPLATES = st.lists(ACTIONS | st.sampled_from(["x", " ", "\n", "{", "}", "é"])).map(
    "".join
)
VALUES = {"a": " xAx \udcff", "b": ""}


@given(TEMPLATES)
def test_a_plain_template_writes_what_the_real_one_does(text: str) -> None:
    plain = plain_template(text)
    if plain is None:
        return
    try:
        found = plain.render(VALUES)
    except Unsure:
        return
    assert found == _really(text)


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("{{ .a }}", "x"),
        ("{{ .a | ToUpper }}: {{.b}}", "X: y"),
        ('{{ Replace .a `x` "z" -1 | ToUpper }}', "Z"),
        (" {{- .a -}} \n{{ .none }}", "x<no value>"),
        ("plain", "plain"),
    ],
)
def test_renders(text: str, rendered: str) -> None:
    plain = plain_template(text)
    assert plain is not None
    assert plain.render({"a": "x", "b": "y"}) == rendered
    assert compile_template(text).render({"a": "x", "b": "y"}) == rendered


@pytest.mark.parametrize("text", ["{{{.a}}", "{{ .a.b }}", "{{ 1 }}", "{{/* c */}}"])
def test_leaves_the_rest_to_the_package(text: str) -> None:
    assert plain_template(text) is None


def test_tells_what_it_looks_at() -> None:
    template = compile_template('{{ ToUpper .a | Trim .b }} {{ .c }}{{ ".d" }}')
    assert template.fields == frozenset("abc")
    assert compile_template("{{ if .a }}x{{ end }}").fields is None


def test_what_would_make_too_much_is_refused_as_by_the_real_one() -> None:
    template = compile_template("{{ Replace .a `x` .b -1 }}")
    with pytest.raises(TemplateError, match="more than"):
        template.render({"a": "x" * 3000, "b": "y" * 3000})


def test_the_package_is_not_loaded() -> None:
    code = (
        "import sys; from shipper.pipeline.gotemplate import compile_template as c;"
        "assert c('{{ .a | ToUpper }}').render({'a': 'x'}) == 'X';"
        "assert 'gotpl' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def _really(text: str) -> str | None:
    """Return what the package writes, None for an error."""
    try:
        template = Template(text)
        template._plain = None
        return template.render(VALUES)
    except TemplateError:
        return None
