from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from exporters.node.collectors import os as os_release
from exporters.node.paths import Paths
from exporters.node.registry import NoData
from tests.node.conftest import Run


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("NAME=debian", "debian"),
        ('NAME="Debian GNU/Linux"', "Debian GNU/Linux"),
        ("NAME='single # quoted'", "single # quoted"),
        ('NAME="a \\"quoted\\" word"', 'a "quoted" word'),
        ('NAME="cost \\$5 \\`x\\` \\\\"', "cost $5 `x` \\"),
        ('NAME="tab\\there"', "tab\there"),
        ('NAME="\\u00e9\\ud83d\\ude00"', "é😀"),
        ('NAME="\\ud83d"', "�"),
        ("NAME=bare # comment", "bare"),
        ("NAME=", ""),
        ('export NAME="x"', "x"),
        ("NAME = x", "x"),
        ("NAME=a=b", "a=b"),
        ("NAME='it'\"'\"'s'", "it's"),
        ("NAME=é", "é"),
    ],
)
def test_parse(line: str, value: str) -> None:
    assert os_release.parse(f"# comment\n\n{line}\nID=x\n".encode()) == {
        "NAME": value,
        "ID": "x",
    }


@pytest.mark.parametrize("line", ["NAME", "=x", "1NAME=x", 'NAME="open', "NAME='open"])
def test_parse_refuses_and_says_where(line: str) -> None:
    with pytest.raises(ValueError, match=r"os-release:2: expected"):
        os_release.parse(f"ID=x\n{line}\n".encode())


@given(st.text(st.characters(exclude_characters="\n\r", exclude_categories=["C"])))
def test_parse_reads_what_a_shell_would(value: str) -> None:
    line = f"NAME={shlex.quote(value)}\n".encode()
    assert os_release.parse(line) == {"NAME": value}


@pytest.mark.parametrize(
    ("version_id", "number"),
    [("12", 12.0), ("24.04.1", 24.04), ("3.", 3.0), ("rolling", 0.0), ("", 0.0)],
)
def test_version(version_id: str, number: float) -> None:
    assert os_release.version({"VERSION_ID": version_id}) == number


def test_support_end_is_midnight_utc() -> None:
    assert os_release.support_end({"SUPPORT_END": "2026-12-31"}) == 1798675200.0
    assert os_release.support_end({}) is None
    with pytest.raises(ValueError, match="expected SUPPORT_END=YYYY-MM-DD"):
        os_release.support_end({"SUPPORT_END": "soon"})


def test_families(run: Run) -> None:
    info, version = run(os_release.COLLECTOR)
    assert info.samples[0].labels == {
        "build_id": "",
        "id": "debian",
        "id_like": "",
        "image_id": "",
        "image_version": "",
        "name": "Debian GNU/Linux",
        "pretty_name": "Debian GNU/Linux 12 (bookworm)",
        "variant": "",
        "variant_id": "",
        "version": "12 (bookworm)",
        "version_codename": "bookworm",
        "version_id": "12",
    }
    assert (version.name, version.samples[0].value) == ("node_os_version", 12.0)


def test_usr_lib_is_second_and_neither_is_no_data(
    run: Run, paths: Paths, tmp_path: Path
) -> None:
    where = replace(paths, rootfs=str(tmp_path))
    with pytest.raises(NoData, match="no os-release file found"):
        run(os_release.COLLECTOR, where=where)
    (tmp_path / "usr/lib").mkdir(parents=True)
    (tmp_path / "usr/lib/os-release").write_text("ID=x\nSUPPORT_END=2030-01-01\n")
    info, end = run(os_release.COLLECTOR, where=where)
    assert info.samples[0].labels["id"] == "x"
    assert end.name == "node_os_support_end_timestamp_seconds"
