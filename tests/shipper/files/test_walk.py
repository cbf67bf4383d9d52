from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from shipper.files import walk
from shipper.files.glob import Glob

from .test_glob import names, segments


def touch(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()


def found(root: Path, pattern: str, exclude: str = "") -> list[str]:
    without = Glob(f"{root}/{exclude}") if exclude else None
    paths = walk.find(Glob(f"{root}/{pattern}"), without).paths
    return [os.path.relpath(path, root) for path in paths]


def test_find(tmp_path: Path) -> None:
    touch(tmp_path, "a.log", "b.txt", ".c.log", "x/d.log", "x/y/e.log", "x/y/f")
    assert found(tmp_path, "*.log") == [".c.log", "a.log"]
    assert found(tmp_path, "**/*.log") == [".c.log", "a.log", "x/d.log", "x/y/e.log"]
    assert found(tmp_path, "x/**") == ["x/d.log", "x/y/e.log", "x/y/f"]
    assert found(tmp_path, "{a,b}.*") == ["a.log", "b.txt"]
    assert found(tmp_path, "**/*.log", "x/**") == [".c.log", "a.log"]
    assert found(tmp_path, "**/*.log", "x/y/e.log") == [".c.log", "a.log", "x/d.log"]
    assert found(tmp_path, "nothing/*") == []
    assert found(tmp_path, "a.log/*") == []


def test_a_name_that_looks_like_a_pattern(tmp_path: Path) -> None:
    touch(tmp_path, "[ab].log", "a.log")
    assert found(tmp_path, "[ab].log") == ["[ab].log"]


def test_circles_end(tmp_path: Path) -> None:
    touch(tmp_path, "x/a.log")
    (tmp_path / "x" / "up").symlink_to(tmp_path)
    (tmp_path / "x" / "self").symlink_to(tmp_path / "x" / "self")
    (tmp_path / "x" / "dangling").symlink_to(tmp_path / "nothing")
    assert "x/a.log" in found(tmp_path, "**/*.log")
    assert len(found(tmp_path, "**/*.log")) <= 2


def test_only_regular_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.log")
    (tmp_path / "dir.log").mkdir()
    assert found(tmp_path, "*.log") == []
    assert found(tmp_path, "pipe.log") == []


def test_the_search_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, *(f"{n}/a.log" for n in range(50)))
    monkeypatch.setattr(walk, "MAX_ENTRIES", 55)
    search = walk.find(Glob(f"{tmp_path}/**/*.log"))
    assert 0 < len(search.paths) < 50
    assert any("the search ends here" in problem for problem in search.problems)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(segments, min_size=1, max_size=3)
    .map("/".join)
    .filter(lambda pattern: ".." not in pattern),  # that leads out of the directory
    st.sets(st.lists(names, min_size=1, max_size=3).map("/".join), max_size=8),
)
def test_found_is_what_matches(pattern: str, files: set[str]) -> None:
    """The walk and the matcher are two programs that must agree."""
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory).resolve()
        made = []
        for name in sorted(files):
            try:
                touch(root, name)
            except OSError:  # a file where another wants a directory
                continue
            if (root / name).is_file():
                made.append(name)
        glob = Glob(f"{root}/{pattern}")
        expected = sorted(name for name in made if glob.match(f"{root}/{name}"))
        assert sorted(found(root, pattern)) == expected
