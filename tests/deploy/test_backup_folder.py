"""Names and rotation of backups, one at a time, and what Prometheus is told."""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from deploy.stack.backup import folder, make, metrics, restore, turn
from deploy.stack.backup.archive import written
from deploy.stack.backup.manifest import BY_HAND, README
from deploy.stack.settings import ROOT, load
from deploy.stack.shell import StackError


NOW = datetime(2025, 11, 20, 4, 15, tzinfo=timezone(timedelta(hours=1)))


def made(path: Path) -> Path:
    with written(path) as writer:
        writer.add(README, [BY_HAND.encode()])
    return path


def days(where: Path, project: str, *numbers: int) -> list[Path]:
    return [made(where / f"{project}-202511{n:02d}T031500Z.tar") for n in numbers]


def test_the_name_says_when_in_utc(tmp_path: Path) -> None:
    path = folder.path_for(tmp_path, "my-site", NOW)
    assert path == tmp_path / "my-site-20251120T031500Z.tar"
    made(path)
    found = folder.Found("20251120T031500Z", "my-site", path)
    assert folder.backups(tmp_path) == [found]


def test_the_newest_go_last_and_strangers_never(tmp_path: Path) -> None:
    own = days(tmp_path, "shop", 3, 1, 2, 4)
    other = days(tmp_path, "shop-two", 1, 2)
    strangers = [
        tmp_path / "shop-20251101T031500Z.tar.gz",
        tmp_path / "shop-photos.tar",
        tmp_path / "shop-20240101T000000Z.tar",  # has the name, is no backup
        tmp_path / "shop-20240102T000000Z.tar",
    ]
    for path in strangers[:3]:
        path.write_bytes(b"not ours")
    strangers[3].mkdir()
    os.mkfifo(tmp_path / "shop-20240103T000000Z.tar")  # nobody writes there
    strangers.append(tmp_path / "shop-20240103T000000Z.tar")
    assert folder.rotate(tmp_path, "shop", 2, own[3]) == [own[1], own[2]]
    left = {own[0], own[3], *other, *strangers}
    assert set(tmp_path.iterdir()) == left
    assert folder.rotate(tmp_path, "shop", 2, own[3]) == []
    assert folder.rotate(tmp_path, "shop", 7, own[3]) == []


def test_the_one_just_made_stays(tmp_path: Path) -> None:
    """Though the clock was wrong once, or somebody gave a file such a name."""
    early, now = days(tmp_path, "shop", 1, 2)
    late = made(tmp_path / "shop-20991231T000000Z.tar")
    (tmp_path / "shop-20991230T000000Z.tar").write_bytes(b"not ours")
    assert folder.rotate(tmp_path, "shop", 2, now) == [early]
    assert folder.rotate(tmp_path, "shop", 1, now) == [late]
    assert now.exists()


def test_the_newest_is_found(tmp_path: Path) -> None:
    with pytest.raises(StackError) as caught:
        folder.newest(tmp_path, "monitoring")
    assert str(caught.value) == f"{tmp_path}: no backup"
    shop = days(tmp_path, "shop", 5, 9, 7)
    assert folder.newest(tmp_path, "monitoring") == shop[1], "of another machine"
    days(tmp_path, "blog", 10)
    assert folder.newest(tmp_path, "shop") == shop[1]
    with pytest.raises(StackError) as caught:
        folder.newest(tmp_path, "monitoring")
    assert (
        str(caught.value) == f"{tmp_path}: no backup of monitoring, but of blog, shop"
    )


def test_what_an_interrupted_one_left_goes(tmp_path: Path) -> None:
    script = """
import os, sys
from pathlib import Path
from deploy.stack.backup.archive import written
with written(Path(sys.argv[1])) as writer:
    writer.add("README", [b"half"])
    os.kill(os.getpid(), 9)
"""
    for project in ("shop", "blog"):
        path = tmp_path / f"{project}-20251120T031500Z.tar"
        command = [sys.executable, "-c", script, str(path)]
        assert subprocess.run(command, cwd=ROOT, check=False).returncode == -9
    assert folder.backups(tmp_path) == []
    folder.remove_partial(tmp_path, "shop")
    assert [p.name for p in tmp_path.iterdir()] == [
        ".blog-20251120T031500Z.tar.partial"
    ]


def test_one_at_a_time(tmp_path: Path) -> None:
    holding = """
import sys
from pathlib import Path
from deploy.stack.backup import turn
with turn.alone(Path(sys.argv[1])):
    print("mine", flush=True)
    sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", holding, tmp_path],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as other:  # fmt: skip
        assert other.stdin
        assert other.stdout
        assert other.stdout.readline() == b"mine\n"
        with pytest.raises(StackError) as caught, turn.alone(tmp_path):
            pass
        other.stdin.close()
    assert str(caught.value) == (
        f"another backup or restore of this stack runs (process {other.pid})"
    )
    with turn.alone(tmp_path):
        pass


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_being_told_to_stop_cleans_up(tmp_path: Path, number: signal.Signals) -> None:
    script = """
import os, sys
from pathlib import Path
from deploy.stack.backup import programs, turn
from deploy.stack.backup.archive import written
with turn.stoppable(), written(Path(sys.argv[1])) as writer:
    chunks = programs.read("sleeper", ["sh", "-c", "echo $$; exec sleep 1000"])
    def told():
        for chunk in chunks: yield chunk
    print("ready", flush=True)
    writer.add("README", told())
"""
    with subprocess.Popen(
        [sys.executable, "-c", script, tmp_path / "a.tar"],
        cwd=ROOT, stdout=subprocess.PIPE,
    ) as writing:  # fmt: skip
        assert writing.stdout
        assert writing.stdout.readline() == b"ready\n"
        writing.send_signal(number)
    assert writing.returncode == 128 + number
    assert list(tmp_path.iterdir()) == []


def test_prometheus_reads_it(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        metrics.write(tmp_path, 1763600000.9, 12345, 4.25)
        metrics.write(tmp_path, 1763600001.9, 12346, 4.5)
    finally:
        os.umask(before)
    path = tmp_path / "textfile/stack_backup.prom"
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o755
    samples = re.findall(r"(?m)^(stack_\w+) (\S+)$", path.read_text())
    assert dict(samples) == {
        "stack_backup_last_success_timestamp_seconds": "1763600001",
        "stack_backup_last_success_size_bytes": "12346",
        "stack_backup_last_success_duration_seconds": "4.500",
    }


def test_where_to(tmp_path: Path) -> None:
    settings = load(tmp_path / ".env", tmp_path / "state")
    assert make.options(settings, []).to == tmp_path / "backups"
    (tmp_path / ".env").write_text("BACKUP_DIR=/srv/backups\n")
    settings = load(tmp_path / ".env", tmp_path / "state")
    assert make.options(settings, []) == make.Options(Path("/srv/backups"), None, False)
    asked = make.options(settings, ["--to=/mnt", "--keep", "7", "--quiet"])
    assert asked == make.Options(Path("/mnt"), 7, True)


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        (["--keep=0"], "KEEP=0: expected how many to keep, at least 1"),
        (["--keep", "-3"], "KEEP=-3: expected how many to keep, at least 1"),
        (["--keep=many"], "backup: argument --keep: invalid int value: 'many'"),
        (["--kept=7"], "backup: unknown --kept=7"),
    ],
)
def test_a_backup_that_is_not_understood(
    tmp_path: Path, rest: list[str], said: str
) -> None:
    settings = load(tmp_path / ".env", tmp_path / "state")
    with pytest.raises(StackError) as caught:
        make.options(settings, rest)
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        ([], "restore: from what? FROM=a backup, or a folder of them"),
        (["--yes"], "restore: from what? FROM=a backup, or a folder of them"),
        (["a.tar", "b.tar"], "restore: unknown b.tar"),
        (["a.tar", "--force"], "restore: unknown --force"),
    ],
)
def test_a_restore_that_is_not_understood(rest: list[str], said: str) -> None:
    with pytest.raises(StackError) as caught:
        restore.options(rest)
    assert str(caught.value) == said


def test_now_is_in_utc(tmp_path: Path) -> None:
    path = folder.path_for(tmp_path, "shop", datetime.now(UTC))
    assert folder.NAME.fullmatch(path.name)
