from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from shipper.files import discovery
from shipper.files.discovery import Discovery, FileSD


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def group(job: str) -> str:
    return f"- targets: [x]\n  labels: {{job: {job}}}\n"


def jobs(found: Discovery) -> list[str]:
    return [group.labels["job"] for group in found.groups]


def test_files_come_change_and_go(tmp_path: Path) -> None:
    found = Discovery(FileSD([f"{tmp_path}/*.yml", f"{tmp_path}/b.*"]), Clock())
    assert not found.look()
    (tmp_path / "a.yml").write_text(group("a"))
    (tmp_path / "b.yml").write_text(group("b"))
    (tmp_path / ".c.yml").write_text(group("c"))
    (tmp_path / "d.txt").write_text(group("d"))
    assert found.look()
    assert jobs(found) == ["c", "a", "b"]
    assert not found.look()
    (tmp_path / "a.yml").write_text(group("a2") + group("a3"))
    (tmp_path / "b.yml").unlink()
    assert found.look()
    assert jobs(found) == ["c", "a2", "a3"]


@pytest.mark.parametrize("bad", ["- nonsense: 1", "- [", None])
def test_what_was_good_is_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, bad: str | None
) -> None:
    path = tmp_path / "a.yml"
    path.write_text(group("good"))
    found = Discovery(FileSD([str(path)]), Clock())
    assert found.look()
    if bad is None:
        path.unlink()
        path.mkdir()
    else:
        path.write_text(bad)
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            assert not found.look()
    assert jobs(found) == ["good"]
    (record,) = caplog.records
    assert f"{path}:" in record.getMessage()
    assert len(found.problems) == 1
    if bad is not None:
        path.write_text(group("repaired"))
        assert found.look()
        assert (jobs(found), found.problems) == (["repaired"], [])


def test_a_change_that_leaves_no_trace_is_found_at_the_refresh(tmp_path: Path) -> None:
    path, clock = tmp_path / "a.yml", Clock()
    path.write_text(group("a"))
    found = Discovery(FileSD([str(path)], refresh_seconds=60), clock)
    found.look()
    status = path.stat()
    path.write_text(group("b"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert not found.look()
    clock.now = 60.0
    assert found.look()
    assert jobs(found) == ["b"]


def test_a_file_that_is_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "MAX_FILE_BYTES", 10)
    (tmp_path / "a.yml").write_text(group("a"))
    found = Discovery(FileSD([f"{tmp_path}/a.yml"]), Clock())
    assert not found.look()
    assert found.problems == [f"{tmp_path}/a.yml:1:1: more than 10 bytes"]
