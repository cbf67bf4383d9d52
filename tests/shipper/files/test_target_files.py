from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from exporters.toolkit.decode import DecodeError
from shipper.files.target import StaticConfig
from shipper.files.target_files import parse


YAML = b"""
- targets: [a, b]
  labels: {job: x, __path__: /a/*.log, number: 017}
- labels: {job: none}
"""
JSON = b"""[\t{
\t"targets": ["a"],
\t"labels": {"job": "x\\ttab \\ud83d\\ude00 \\/ \\\\ud83d \\uDEAD", "__path__": "/a"}
}]"""


def test_yaml() -> None:
    assert parse(YAML, "/sd/t.yml") == [
        StaticConfig(
            ("a", "b"),
            {
                "job": "x",
                "__path__": "/a/*.log",
                "number": "017",
                "__meta_filepath": "/sd/t.yml",
            },
        ),
        StaticConfig((), {"job": "none", "__meta_filepath": "/sd/t.yml"}),
    ]


def test_json() -> None:
    (group,) = parse(JSON, "/sd/t.JSON")
    assert group.targets == ("a",)
    assert group.labels == {
        "job": "x\ttab 😀 / \\ud83d \ufffd",
        "__path__": "/a",
        "__meta_filepath": "/sd/t.JSON",
    }


@pytest.mark.parametrize(
    ("path", "data", "error"),
    [
        ("t.yml", b"- target: [a]", "t.yml:1:3: field target not found"),
        ("t.yml", b"- targets: a", "t.yml:1:12: cannot unmarshal"),
        ("t.yml", b"targets: [a]", "t.yml:1:1: cannot unmarshal"),
        ("t.yml", b"- labels: {a-b: c}", 't.yml:1:17: "a-b" is not a valid label name'),
        ("t.yml", b"- [", "t.yml:1:"),
        ("t.json", b"- targets: [a]", "t.json:1:1: not JSON: "),
        ("t.json", b'[\n{"targets": ["a"],}]', "t.json:2:19: not JSON: "),
        ("t.json", b'[\n\t{"target": ["a"]}]', "t.json:2:3: field target not found"),
        ("t.json", b"\n\xff", "t.json:2:1: not UTF-8"),
        ("t.json", b"[" * 100_000, "t.json:1:1: not JSON: nested too deeply"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(
    path: str, data: bytes, error: str
) -> None:
    with pytest.raises(DecodeError) as caught:
        parse(data, path)
    assert caught.value.errors[0].startswith(error)


@given(st.binary(max_size=60), st.sampled_from(["t.json", "t.yaml"]))
def test_nothing_but_groups_or_an_error(data: bytes, path: str) -> None:
    try:
        groups = parse(data, path)
    except DecodeError:
        return
    assert all(group.labels["__meta_filepath"] == path for group in groups)
