"""The files of a volume: packed while they change, put back as they were."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from deploy.stack.backup.archive import Writer
from deploy.stack.backup.make import Making
from deploy.stack.backup.members import Members
from deploy.stack.backup.volume import Volume, packed_well
from deploy.stack.settings import load
from deploy.stack.shell import StackError


pytestmark = [pytest.mark.timeout(300)]

IMAGE = "local/wordpress:trixie"
NAMES = ("backup-test-one", "backup-test-two")
FILES = r"""
umask 022
mkdir -p wp-content/uploads/2025/11 'a b'
printf one >'wp-content/uploads/2025/11/ünï cödé 🐳.jpg'
printf two >"$(printf 'a b/new\nline')"
printf bytes >"$(printf 'a b/\377\376')"
printf three >--exclude=nothing
printf secret >wp-config.php
printf shared >linked
: >empty
ln linked hardlinked
ln -s wp-config.php inside
ln -s /var/www/html/wp-content absolute
ln -s nowhere dangling
head -c 3000000 /dev/zero >large
chmod 0640 wp-config.php
chmod 2775 'a b'
chmod 1777 .
chown -hR 33:33 wp-content wp-config.php .
chown 1000:4242 empty
touch -d '2020-02-02 02:02:02.123456789' wp-config.php
"""
LIST = r"""
find . -printf '%p %y %m %U:%G %T@ %l\n' | grep -v '^\. ' | LC_ALL=C sort
stat -c '%a %u:%g' .
find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
stat -c %h linked
"""
UNFIT = r"""
ln -s /etc/passwd evil
ln -s ../../x 'a b/up out'
ln -s /etc/passwd "$(printf 'a b/\377 byte')"
ln -s /etc/passwd -- '-[x]*\n%d

'
mkfifo 'a b/pipe'
"""
UNDO = "find . '(' -lname '/etc*' -o -lname '*/x' -o -type p ')' -delete"
GONE, CHANGED = "File removed before we read it", "file changed as we read it"


@pytest.fixture
def volumes() -> Iterator[list[Volume]]:
    found = ["docker", "image", "inspect", IMAGE]
    if subprocess.run(found, check=False, capture_output=True).returncode:
        pytest.skip(f"no image {IMAGE}: make e2e builds it")
    subprocess.run(["docker", "volume", "create", NAMES[0]], check=True)
    subprocess.run(["docker", "volume", "create", NAMES[1]], check=True)
    try:
        yield [Volume(name, IMAGE) for name in NAMES]
    finally:
        subprocess.run(["docker", "volume", "rm", "-f", *NAMES], check=True)


def change(volume: Volume, script: str) -> None:
    writing = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID"]
    volume._ask(writing, "sh", "-euc", script)


@pytest.mark.docker
def test_all_comes_back_as_it_was(volumes: list[Volume]) -> None:
    one, two = volumes
    change(one, FILES)
    change(two, "printf old >old; mkdir -p .restore; printf left >.restore/over")
    before = one.sh(LIST)
    two.stage(one.pack())
    assert two.sh("cat old") == "old", "nobody notices"
    two.swap()
    two.tidy()
    assert two.sh(LIST) == before
    assert one.sh(LIST) == before


@pytest.mark.docker
def test_a_swap_that_fails_is_undone(volumes: list[Volume]) -> None:
    one = volumes[0]
    change(one, FILES)
    before = one.sh(LIST)
    with pytest.raises(StackError, match=f"^the volume {one.name}: .*restore"):
        one.swap()  # nothing was staged
    one.tidy()
    assert one.sh(LIST) == before


@pytest.mark.docker
def test_what_is_no_tar_changes_nothing(volumes: list[Volume]) -> None:
    one = volumes[0]
    change(one, FILES)
    before = one.sh(LIST)
    with pytest.raises(StackError, match=rf"^the volume {one.name}: tar: "):
        one.stage([b"no tar " * 1000])
    one.tidy()
    assert one.sh(LIST) == before


@pytest.mark.docker
def test_what_no_restore_takes_is_named_and_left_out(volumes: list[Volume]) -> None:
    one, two = volumes
    change(one, FILES)
    before = one.sh(LIST)
    change(one, UNFIT)
    unfit = dict(one.unfit())
    out = "leads to '/etc/passwd', out of the volume"
    assert unfit == {
        "evil": out,
        "a b/up out": "leads to '../../x', out of the volume",
        os.fsdecode(b"a b/\377 byte"): out,
        "-[x]*\\n%d\n\n": out,
        "a b/pipe": "is no file but a pipe",
    }
    packed = b"".join(one.pack(list(unfit)))
    found = Members(one.root)
    with tarfile.open(fileobj=io.BytesIO(packed)) as file:
        assert [problem for member in file if (problem := found.problem(member))] == []
    two.stage([packed])
    two.swap()
    two.tidy()
    assert two.unfit() == []
    change(two, "touch -d @0 'a b'")
    change(one, f"{UNDO}; touch -d @0 'a b'")
    assert two.sh(LIST) == one.sh(LIST) != before


@pytest.mark.docker
def test_holes_stay_holes(volumes: list[Volume]) -> None:
    one, two = volumes
    change(one, "truncate -s 1G sparse; printf end >>sparse; chown 33:33 sparse")
    packed = b"".join(one.pack())
    assert len(packed) < 1 << 20
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r|") as file:
        sizes = {member.name: member.size for member in file}
    assert sizes["./sparse"] == (1 << 30) + 3
    two.stage([packed])
    two.swap()
    assert two.sh("stat -c %s sparse; tail -c 3 sparse").split() == [
        "1073741827",
        "end",
    ]
    assert int(two.sh("stat -c %b sparse")) < 100


@pytest.mark.docker
def test_files_that_change_meanwhile_are_no_failure(volumes: list[Volume]) -> None:
    one = volumes[0]
    busy = """
i=0
while :; do
  i=$((i + 1))
  echo $i >new-$((i % 50))
  head -c 100000 /dev/zero >>grows
  rm -f new-$(((i + 25) % 50))
done
"""
    started = subprocess.run(
        [
            "docker", "run", "--detach", "--rm", "--network=none",
            f"--volume={one.name}:/var/www/html", "--entrypoint=sh",
            IMAGE, "-c", busy,
        ],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    container = started.stdout.strip()
    try:
        for _ in range(3):
            assert sum(map(len, one.pack())) > 1024
    finally:
        subprocess.run(["docker", "rm", "-fv", container], check=True)


@pytest.mark.docker
def test_grafana_stands_still_while_it_is_copied(
    volumes: list[Volume], tmp_path: Path
) -> None:
    """Any container does here: what is asked is Docker."""
    command = ["docker", "run", "--detach", "--rm", "--entrypoint=sleep", IMAGE, "600"]
    started = subprocess.run(command, check=True, capture_output=True, text=True)
    container = started.stdout.strip()
    assert volumes

    def state() -> str:
        asked = ["docker", "inspect", "-f", "{{.State.Status}}", container]
        return subprocess.run(
            asked, check=True, capture_output=True, text=True
        ).stdout.strip()

    settings = load(tmp_path / ".env", tmp_path / "state")
    nothing = cast("Any", None)
    with (tmp_path / "file").open("w+b") as file:
        making = Making(settings, nothing, datetime.now(UTC), Writer(file))
    try:
        with making.paused(container):
            assert state() == "paused"
        assert state() == "running"
        assert making.warnings == []
    finally:
        subprocess.run(["docker", "rm", "-fv", container], check=True)
    with making.paused(container):
        pass
    assert making.warnings[0].startswith("copied while it was written: ")


@pytest.mark.parametrize(
    ("code", "said", "well"),
    [
        (0, "", True),
        (1, "tar: ./a: file changed as we read it", True),
        (1, f"tar: ./a: {GONE}\ntar: ./b: {CHANGED}", True),
        (1, "tar: ./a b/ü: File shrank by 12 bytes; padding with zeros", True),
        (1, "tar: ./a: socket ignored", True),
        (1, "", True),
        (1, "tar: ./a: Cannot open: Permission denied", False),
        (2, "tar: ./a: file changed as we read it", False),
        (137, "", False),
        (1, "docker: Error response from daemon", False),
    ],
)
def test_what_tar_may_say(code: int, said: str, well: bool) -> None:
    assert packed_well(code, said) == well
