from __future__ import annotations

from pathlib import Path

import pytest

from tests.node import golden, tree


@pytest.mark.parametrize("path", golden.trees(), ids=lambda path: path.stem)
def test_what_a_collector_says_of_a_host(path: Path, tmp_path: Path) -> None:
    expected = path.with_suffix(".prom").read_text("utf-8")
    assert golden.exposition(path, tmp_path) == expected


def test_a_tree_is_planted_as_it_reads(tmp_path: Path) -> None:
    text = (
        "# flags: --a=b --c\n"
        "sys/one: 1 2\n"
        "sys/empty:\n"
        "sys/none/\n"
        "sys/link -> one\n"
        "proc/lines: |\n"
        "    a: b\n"
        "\n"
        "      c\n"
        "\n"
        'proc/odd: bytes "\\xff\\x00"\n'
        "proc/secret: denied\n"
    )
    tree.plant(text, tmp_path)
    assert tree.flags(text) == ["--a=b", "--c"]
    assert (tmp_path / "sys/link").read_bytes() == b"1 2\n"
    assert (tmp_path / "sys/empty").read_bytes() == b""
    assert (tmp_path / "sys/none").is_dir()
    assert (tmp_path / "proc/lines").read_bytes() == b"a: b\n\n  c\n"
    assert (tmp_path / "proc/odd").read_bytes() == b"\xff\x00"
    with pytest.raises(OSError, match="directory"):
        (tmp_path / "proc/secret").read_bytes()


def test_a_line_that_is_none_is_named() -> None:
    with pytest.raises(ValueError, match="line 2: expected 'path: value'"):
        list(tree.parse("a: b\nnonsense\n"))
