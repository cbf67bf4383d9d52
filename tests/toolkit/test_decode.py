from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

import pytest
from hypothesis import given, strategies as st

from exporters.toolkit.decode import DecodeError, Problem, Scalar, Secret, decode


def _even(text: str) -> int:
    if not text.isdecimal() or int(text) % 2:
        raise ValueError("expected an even number")
    return int(text)


@dataclass(frozen=True)
class Inner:
    name: str
    value: int = 0


@dataclass(frozen=True)
class Login:
    user: str = ""
    password: Secret = field(default_factory=Secret)


@dataclass(frozen=True)
class Base:
    port: int = 80
    ACCEPTED: ClassVar[frozenset[str]] = frozenset({"idle"})


@dataclass(frozen=True)
class Outer(Base):
    text: str = "default"
    flag: bool = False
    ratio: float = 0.0
    mode: Literal["a", "b", ""] = "a"
    even: Annotated[int, Scalar("Even", _even)] = 0
    inner: Inner | None = None
    login: Login = field(default_factory=Login)
    items: tuple[Inner, ...] = ()
    words: tuple[str, ...] | None = None
    names: list[str] = field(default_factory=list)
    labels: Mapping[str, str] = field(default_factory=dict)

    REFUSED: ClassVar[Mapping[str, str]] = {"later": "not yet"}

    def problems(self) -> Iterator[Problem]:
        if self.port == 13:
            yield Problem("13 is an unlucky port", ("port",))
        if self.text == "bad":
            yield Problem("no such thing", ("items", 7, "name"))


def load(text: str) -> Outer:
    return decode(text.encode(), Outer, "c.yml")


def errors(text: str | bytes) -> tuple[str, ...]:
    data = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(DecodeError) as caught:
        decode(data, Outer, "c.yml")
    assert str(caught.value) == "\n".join(caught.value.errors)
    return caught.value.errors


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("yes", "yes"),
        ("017", "017"),
        ("12:30", "12:30"),
        ("2026-11-22", "2026-11-22"),
        ("1.50", "1.50"),
        ("'~'", "~"),
        ("~", "default"),
        ("", "default"),
        ("null", "default"),
        ('"a\\tb"', "a\tb"),
        ("|\n  two\n  lines", "two\nlines"),
        ("!!str 5", "5"),
    ],
)
def test_a_string_keeps_its_text(written: str, read: str) -> None:
    assert load(f"text: {written}").text == read


@pytest.mark.parametrize(
    ("key", "written", "read"),
    [
        ("port", "9080", 9080),
        ("port", "0x10", 16),
        ("port", "0b11", 3),
        ("port", "0o17", 15),
        ("port", "017", 15),
        ("port", "1_000", 1000),
        ("port", "1e3", 1000),
        ("port", "-5", -5),
        ("flag", "yes", True),
        ("flag", "Off", False),
        ("flag", "y", True),
        ("flag", "TRUE", True),
        ("ratio", "1", 1.0),
        ("ratio", ".5", 0.5),
        ("ratio", "-.inf", -math.inf),
        ("mode", "b", "b"),
        ("even", "4", 4),
        ("names", "[a, ~, 1]", ["a", "", "1"]),
        ("words", "[]", ()),
        ("words", "null", None),
        ("labels", "{a: 1, y: no}", {"a": "1", "y": "no"}),
        ("labels", "~", {}),
    ],
)
def test_values_by_type(key: str, written: str, read: object) -> None:
    assert getattr(load(f"{key}: {written}"), key) == read


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("port: abc", "1:7: cannot unmarshal !!str `abc` into int"),
        ("port: '80'", "1:7: cannot unmarshal !!str `80` into int"),
        ("port: 1.5", "1:7: cannot unmarshal !!float `1.5` into int"),
        ("port: 99999999999999999999", "cannot unmarshal !!int `9999999...` into int"),
        ("flag: maybe", "1:7: cannot unmarshal !!str `maybe` into bool"),
        ("flag: 'true'", "1:7: cannot unmarshal !!str `true` into bool"),
        ("flag: tRUE", "1:7: cannot unmarshal !!str `tRUE` into bool"),
        ("ratio: x", "1:8: cannot unmarshal !!str `x` into float64"),
        ("text: [a]", "1:7: cannot unmarshal !!seq into string"),
        ("mode: c", '1:7: expected one of a, b, ""'),
        ("even: 3", "1:7: expected an even number"),
        ("items: {}", "1:8: cannot unmarshal !!map into []Inner"),
        ("items: [1]", "1:9: cannot unmarshal !!int into Inner"),
        ("items:\n- value: 1", "2:3: name missing in Inner"),
        ("labels: [a]", "1:9: cannot unmarshal !!seq into map[string]string"),
        ("labels: {a: 1, a: 2}", '1:16: key "a" already set in map'),
        ("labels: {[a]: 2}", "1:10: a key must be a scalar"),
        ("port: 1\nport: 2", "2:1: field port already set in type Outer"),
        ("prot: 1", "1:1: field prot not found in Outer (did you mean port?)"),
        ("inner:\n  wxyz: 1\n  name: n", "2:3: field wxyz not found in Inner"),
        ("later: [x]", "1:1: later: not yet"),
        ("port: 13", "1:7: 13 is an unlucky port"),
        ("text: bad\nitems: [{name: a}]", "2:8: no such thing"),
        ("- a", "1:1: cannot unmarshal !!seq into Outer"),
        ("text", "1:1: cannot unmarshal !!str into Outer"),
        ("text: !custom x", "1:7: custom tags are not supported"),
        ("<<: 5", "1:5: map merge requires map or sequence of maps as the value"),
        ("text: 1\n---\ntext: 2", "2:1: expected a single document in the stream"),
        ("a: b: c", "1:5: mapping values are not allowed in this context"),
        ("text: *nope", "1:7: found undefined alias"),
        ("text: 'x", "found unexpected end of stream"),
        ("[", "1:2: while parsing a flow node"),
        ("text: [a\n", "2:1: while parsing a flow"),
        ("[" * 500, "nested too deeply"),
        ("text: " + "x" * (5 << 20), "1:1: file is larger than"),
    ],
)
def test_one_mistake_one_place(text: str, error: str) -> None:
    (only,) = errors(text)
    assert only.startswith("c.yml:")
    assert error in only


def test_bytes_that_are_no_text() -> None:
    assert errors(b"text: a\nflag: \xff") == (
        "c.yml:2:7: not YAML: invalid leading UTF-8 octet",
    )


def test_all_mistakes_come_at_once_in_file_order() -> None:
    text = "flag: 7\nitems:\n- name: a\n  vlaue: 1\n- name: [x]\nport: no\nzzz: 1\n"
    assert errors(text) == (
        "c.yml:1:7: cannot unmarshal !!int `7` into bool",
        "c.yml:4:3: field vlaue not found in Inner (did you mean value?)",
        "c.yml:5:9: cannot unmarshal !!seq into string",
        "c.yml:6:7: cannot unmarshal !!bool `no` into int",
        "c.yml:7:1: field zzz not found in Outer",
    )


@pytest.mark.parametrize("empty", ["", "\n", "# only\n", "---\n", "~", "{}"])
def test_an_empty_file_is_all_defaults(empty: str) -> None:
    assert load(empty) == Outer()


def test_keys_without_effect_warn_and_empty_ones_pass() -> None:
    warnings: list[str] = []
    data = b"idle: {x: [1]}\nlater: []\n"
    assert decode(data, Outer, "c.yml", warnings) == Outer()
    assert warnings == ["c.yml:1:1: idle: accepted, but has no effect here"]
    for off in ("", "~", "false", "no", "''", "{}"):
        assert load(f"later: {off}") == Outer()


def test_lenient_passes_what_resembles_no_key() -> None:
    text = "x-all: &all {name: n, quux: 1}\ninner: *all\n"
    warnings: list[str] = []
    value = decode(text.encode(), Outer, "c.yml", warnings, lenient=True)
    assert value.inner == Inner("n")
    assert warnings == [
        "c.yml:1:1: field x-all not found in Outer, ignored",
        "c.yml:1:23: field quux not found in Inner, ignored",
    ]
    with pytest.raises(DecodeError) as caught:
        decode(b"label: {a: b}", Outer, "c.yml", [], lenient=True)
    assert caught.value.errors == (
        "c.yml:1:1: field label not found in Outer (did you mean labels?)",
    )


def test_anchors_and_merges() -> None:
    text = """
    items:
    - &a {name: a, value: 1}
    - &b {<<: *a, name: b}
    - {value: 9, <<: *a}
    - {<<: [{name: c}, *b]}
    labels: &l {x: 1}
    names: [*n]
    """
    text = text.replace("labels: &l {x: 1}", "text: &n word")
    value = load(text)
    pairs = [(item.name, item.value) for item in value.items]
    assert pairs == [("a", 1), ("b", 1), ("a", 9), ("c", 1)]
    assert value.names == ["word"]


def test_bombs_end_in_an_error() -> None:
    many = ",".join(["{name: a, <<: *m}"] * 3)
    assert load(f"items: [&m {{name: b, value: 2}}, {many}]").items[1].value == 2
    recursive = "inner: &i {name: a, <<: *i}"
    assert load(recursive).inner == Inner("a")
    wide = "items: [" + "&a {name: a}" + ",*a" * 150_000 + "]"
    assert "excessive aliasing" in errors(wide)[0]


@pytest.mark.parametrize(
    "text",
    [
        "login: {password: [hunter2]}",
        "login: {password: {hunter2: 1}}",
        "login: {password: !hunter2 x}",
        "login: {password: *hunter2}",
        "login: hunter2",
        "login: [user, hunter2]",
        "login: {password: hunter2, user: [x]}",
    ],
)
def test_no_error_shows_a_secret(text: str) -> None:
    assert "hunter2" not in "".join(errors(text))


def test_secrets_hide_themselves() -> None:
    login = load("login: {password: 0123}").login
    assert login.password.reveal() == "0123"
    assert "0123" not in f"{login} {login.password} {login.password!r}"
    assert login.password == Secret("0123")
    assert login.password
    assert not Secret()


_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from(
        ["1", "x", "yes", "~", "'q'", "*a", "&a v", "!t v", "[", "}", "\t"]
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda v: "[" + ", ".join(v) + "]"),
        st.dictionaries(
            st.sampled_from(["name", "value", "<<", "nope", "[a]"]), inner, max_size=3
        ).map(lambda v: "{" + ", ".join(f"{k}: {x}" for k, x in v.items()) + "}"),
    ),
    max_leaves=6,
)
_KEYS = st.sampled_from(
    ["port", "text", "flag", "inner", "items", "labels", "login", "words", "later", "?"]
)


@given(st.lists(st.tuples(_KEYS, _VALUES), max_size=5))
def test_structured_garbage_ends_in_places_inside_the_file(
    pairs: list[tuple[str, str]],
) -> None:
    check_errors_are_inside("\n".join(f"{key}: {value}" for key, value in pairs))


@given(st.one_of(st.text(max_size=40), st.binary(max_size=40)))
def test_any_garbage_ends_in_places_inside_the_file(garbage: str | bytes) -> None:
    check_errors_are_inside(garbage)


def check_errors_are_inside(garbage: str | bytes) -> None:
    data = garbage.encode("utf-8", "replace") if isinstance(garbage, str) else garbage
    found: tuple[str, ...] = ()
    try:
        decode(data, Outer, "c.yml")
    except DecodeError as error:
        found = error.errors
    # YAML 1.1 line breaks, and those of UTF-16.
    breaks = re.findall(rb"\r\n|\n|\r|\x85|\xa8|\xa9|\x28|\x29", data)
    for text in found:
        place = re.match(r"c\.yml:(\d+):(\d+): .", text)
        assert place is not None
        assert 1 <= int(place[1]) <= len(breaks) + 1
        assert 1 <= int(place[2]) <= len(data) + 1


@dataclass(frozen=True)
class _Login:
    user: str = ""
    password: Secret = field(default_factory=Secret)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('a: "x\\e[31m\\n"', r"f:1:4: cannot unmarshal !!str `x\x1b[31m\n` into int"),
        (
            "{password hunter-2: }",
            "f:1:2: field <not shown> not found in _Login (did you mean password?)",
        ),
        (
            "{passwort: }",
            "f:1:2: field passwort not found in _Login (did you mean password?)",
        ),
        ("{what-else: }", "f:1:2: field what-else not found in _Login"),
    ],
)
def test_a_message_is_one_line_without_secrets(text: str, error: str) -> None:
    @dataclass(frozen=True)
    class Number:
        a: int = 0

    kind: type[Any] = Number if text.startswith("a") else _Login
    with pytest.raises(DecodeError) as caught:
        decode(text.encode(), kind, "f")
    assert caught.value.errors == (error,)
