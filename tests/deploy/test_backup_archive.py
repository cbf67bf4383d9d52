"""Backups that are whole, and those that are not: what is refused, and how."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import resource
import shutil
import stat
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.stack.backup import manifest, packing, reading
from deploy.stack.backup.archive import written
from deploy.stack.backup.manifest import (
    BY_HAND,
    MANIFEST,
    OBJECTS,
    README,
    SETTINGS,
    SUMS,
    TABLES,
    WORDPRESS,
    Manifest,
)
from deploy.stack.settings import ROOT
from deploy.stack.shell import StackError


DUMP = (
    b"CREATE TABLE wp_options (id INT);\n" * 50_000 + b"\n-- Dump completed on 2025\n"
)
NOISE = os.urandom(300_000)


def tar(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as file:
        for member, data in members:
            member.size = len(data)
            file.addfile(member, io.BytesIO(data))
    return target.getvalue()


def entry(
    name: str, kind: bytes = tarfile.REGTYPE, target: str = ""
) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


SITE = (
    (entry(".", tarfile.DIRTYPE), b""),
    (entry("./wp-content", tarfile.DIRTYPE), b""),
    (entry("./wp-content/ünï cödé 🐳.jpg"), NOISE),
    (entry("./wp-content/" + "long/" * 60 + "name"), b"deep"),
    (entry("./wp-content/here", tarfile.SYMTYPE, "ünï cödé 🐳.jpg"), b""),
    (entry("./wp-content/back", tarfile.SYMTYPE, "../index.php"), b""),
    (entry("./absolute", tarfile.SYMTYPE, "/var/www/html/wp-content"), b""),
)
CONTENT = {
    TABLES: DUMP,
    OBJECTS: b"\n-- Dump completed\n",
    WORDPRESS: tar(*SITE),
    SETTINGS: tar((entry("env"), b"NGINX_PORT=1\n")),
}


def make(path: Path, content: dict[str, bytes] | None = None, **said: Any) -> Path:
    content = content or CONTENT
    with written(path) as writer:
        writer.add(README, [BY_HAND.encode()])
        parts = [
            writer.add_packed(name, [data[:7], data[7:]])
            for name, data in content.items()
        ]
        facts = {
            "made": "2025-11-20T03:15:00+00:00",
            "host": "web1",
            "project": "monitoring",
            "stack_version": "1",
            "database": "wordpress",
            "database_version": "8.4.11",
            "wordpress_version": "7.1",
            "wordpress_url": "http://localhost:8080",
            "table_prefix": "wp_",
            "warnings": (),
            "parts": tuple(parts),
        }
        writer.add(MANIFEST, [Manifest(**{**facts, **said}).encode()])
    return path


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    return make(tmp_path / "monitoring-20251120T031500Z.tar")


def refused(path: Path) -> str:
    with pytest.raises(StackError) as caught:
        reading.verify(reading.opened(path))
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert "\n" not in text
    return text.removeprefix(f"{path}: ")


def test_what_was_written_is_read(whole: Path) -> None:
    archive = reading.opened(whole)
    reading.verify(archive)
    for name, data in CONTENT.items():
        assert b"".join(archive.unpacked(name)) == data
        part = archive.part(name)
        assert part is not None
        assert part.unpacked_bytes == len(data)
    assert archive.manifest.wordpress_version == "7.1"
    assert stat.S_IMODE(whole.stat().st_mode) == 0o600
    assert [p.name for p in whole.parent.iterdir()] == [whole.name]


def test_it_can_be_put_back_with_ordinary_programs(whole: Path, tmp_path: Path) -> None:
    """As README in it says."""
    folder = tmp_path / "by hand"
    folder.mkdir()

    def run(*command: str | Path) -> bytes:
        return subprocess.run(
            command, cwd=folder, check=True, capture_output=True
        ).stdout

    run("tar", "--extract", "--file", whole)
    checked = run("sha256sum", "--check", "--strict", SUMS)
    assert checked.count(b": OK\n") == len(CONTENT) + 2
    assert run("gunzip", "--stdout", TABLES) == DUMP
    run("tar", "--extract", "--gzip", "--file", WORDPRESS)
    assert (folder / "wp-content/ünï cödé 🐳.jpg").read_bytes() == NOISE


def test_the_large_parts_are_never_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.tar"
    script = f"""
from pathlib import Path
from deploy.stack.backup.archive import written
from deploy.stack.backup import packing
path = Path({str(path)!r})
with written(path) as writer:
    part = writer.add_packed("zeros", (bytes(1 << 20) for _ in range(600)))
data = path.read_bytes()[512:512 + part.bytes]
assert sum(map(len, packing.unpack([data]))) == 600 << 20
# Not ru_maxrss: that begins with what the process was before it was this program.
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(int(status["VmHWM"].split()[0]) >> 10)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, check=True, capture_output=True
    )
    assert int(done.stdout) < 100, "MiB"


@pytest.mark.parametrize("keep", [0, 1, 511, 512, 5000, -1, -512, -1024, -1025, -5000])
def test_a_file_that_ends_early(whole: Path, keep: int) -> None:
    """But for the end mark of tar, which is only zeros."""
    data = whole.read_bytes()
    whole.write_bytes(data[:keep])
    if keep in {-1, -512, -1024}:
        reading.verify(reading.opened(whole))
    else:
        assert refused(whole).startswith("not a whole monitoring-exporters backup: ")


def test_every_single_byte_counts(whole: Path) -> None:
    """Wherever one is another, but in what tar fills up with, it is found."""
    data = bytearray(whole.read_bytes())
    archive = reading.opened(whole)
    places = [
        offset + delta
        for part in archive.manifest.parts
        for offset in [archive.places[part.name]]
        for delta in (0, part.bytes // 2, part.bytes - 1)
    ]
    places += [archive.places[MANIFEST] + delta for delta in (0, 60, 200)]
    places += [archive.places[SUMS] + 5 + 66 * 4]
    for place in places:
        data[place] ^= 1
        whole.write_bytes(data)
        refused(whole)
        data[place] ^= 1
    whole.write_bytes(data)
    reading.verify(reading.opened(whole))


def nothing(path: Path) -> None:
    path.unlink()


def text(path: Path) -> None:
    path.write_text("-- MySQL dump 10.13\n" * 1000)


def plain_tar(path: Path) -> None:
    path.write_bytes(tar((entry("wp-config.php"), b"<?php")))


def packed_tar(path: Path) -> None:
    path.write_bytes(gzip.compress(path.read_bytes()))


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (nothing, "No such file or directory"),
        (a_folder, "Is a directory"),
        (text, "not a whole monitoring-exporters backup: "),
        (packed_tar, "not a whole monitoring-exporters backup: "),
        (
            plain_tar,
            "not a whole monitoring-exporters backup: it does not begin with README",
        ),
    ],
)
def test_what_is_something_else(
    whole: Path, damage: Callable[[Path], None], said: str
) -> None:
    damage(whole)
    assert refused(whole).startswith(said)


def rewritten(path: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    """Change members and let the list of hashes agree: who does that means it."""
    with tarfile.open(path) as file:
        members = {m.name: file.extractfile(m).read() for m in file}  # type: ignore[union-attr]
    change(members)
    sums = "".join(
        f"{hashlib.sha256(data).hexdigest()}  {name}\n"
        for name, data in members.items()
        if name != SUMS
    )
    members[SUMS] = sums.encode()
    path.write_bytes(tar(*((entry(name), data) for name, data in members.items())))


def described(change: Callable[[Any], None]) -> Callable[[dict[str, bytes]], None]:
    def changed(members: dict[str, bytes]) -> None:
        said = json.loads(members[MANIFEST])
        change(said)
        members[MANIFEST] = json.dumps(said).encode()

    return changed


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda m: m.pop(TABLES), "its members are ["),
        (lambda m: m.update(more=b""), "its members are ["),
        (lambda m: m.update({MANIFEST: b"{"}), "manifest.json is not JSON: "),
        (lambda m: m.update({MANIFEST: b"[]"}), "manifest.json is not of a "),
        (lambda m: m.update({TABLES: b"short"}), "tables.sql.gz has 5 bytes"),
        (described(lambda m: m.update(format="x")), "manifest.json is not of a "),
        (
            described(lambda m: m.update(version=2)),
            "manifest.json is of version 2, this program reads version 1",
        ),
        (
            described(lambda m: m.update(project=1)),
            "manifest.json: project is 1, expected a text",
        ),
        (
            described(lambda m: m.update(parts={})),
            "manifest.json: parts is {}, expected a list",
        ),
        (
            described(lambda m: m["parts"].__setitem__(0, 1)),
            "manifest.json: a part is 1, expected an object",
        ),
        (
            described(lambda m: m["parts"][0].update(bytes=-1)),
            "manifest.json: bytes is -1, expected a number",
        ),
        (described(lambda m: m["parts"][0].update(name="x")), "its members are ["),
    ],
)
def test_what_does_not_agree_with_itself(
    whole: Path, change: Callable[[dict[str, bytes]], None], said: str
) -> None:
    rewritten(whole, change)
    assert refused(whole).startswith(f"not a whole {manifest.FORMAT}: {said}")


def test_a_part_that_is_missing_or_unknown(tmp_path: Path) -> None:
    fewer = {name: data for name, data in CONTENT.items() if name != WORDPRESS}
    assert refused(make(tmp_path / "a.tar", fewer)).endswith("has no wordpress.tar.gz")
    more = {**CONTENT, "evil.tar.gz": b""}
    assert refused(make(tmp_path / "b.tar", more)).endswith(
        "nobody knows its part evil.tar.gz"
    )


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ([entry("../evil.php")], "'../evil.php' leads out of the folder"),
        ([entry("a/../../evil.php")], "'a/../../evil.php' leads out of the folder"),
        ([entry("/etc/passwd")], "'/etc/passwd' leads out of the folder"),
        ([entry("..", tarfile.DIRTYPE)], "'..' leads out of the folder"),
        (
            [entry("a", tarfile.SYMTYPE, "../../etc")],
            "'a' links to '../../etc', out of the folder",
        ),
        (
            [entry("./a/b", tarfile.SYMTYPE, "../../etc")],
            "'./a/b' links to '../../etc', out of the folder",
        ),
        (
            [entry("a", tarfile.SYMTYPE, "/etc/passwd")],
            "'a' links to '/etc/passwd', out of the folder",
        ),
        (
            [entry("a", tarfile.SYMTYPE, "/var/www/html/../secret")],
            "'a' links to '/var/www/html/../secret', out of the folder",
        ),
        (
            [entry("a", tarfile.LNKTYPE, "../x")],
            "'a' links to '../x', out of the folder",
        ),
        (
            [entry("./a", tarfile.SYMTYPE, "wp-content"), entry("./a/b.php")],
            "'./a/b.php' goes through the link 'a'",
        ),
        (
            [entry("dev", tarfile.CHRTYPE)],
            "'dev' is neither file, folder nor link",
        ),
        ([entry("pipe", tarfile.FIFOTYPE)], "'pipe' is neither file, folder nor link"),
    ],
)
def test_members_that_lead_elsewhere(
    tmp_path: Path, members: list[tarfile.TarInfo], said: str
) -> None:
    evil = tar(*SITE, *((member, b"") for member in members))
    path = make(tmp_path / "evil.tar", {**CONTENT, WORDPRESS: evil})
    assert refused(path) == f"wordpress.tar.gz: {said}"


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        (TABLES, b"CREATE TABLE a", "tables.sql.gz: the dump has no end"),
        (WORDPRESS, b"no tar" * 200, "wordpress.tar.gz: "),
        (WORDPRESS, CONTENT[WORDPRESS][:200_000], "wordpress.tar.gz: "),
    ],
)
def test_parts_that_are_not_what_they_should_be(
    tmp_path: Path, name: str, data: bytes, said: str
) -> None:
    assert refused(make(tmp_path / "x.tar", {**CONTENT, name: data})).startswith(said)


def test_gzip_in_pieces() -> None:
    packed = b"".join(packing.pack([b"a" * 10, b"", NOISE]))
    assert gzip.decompress(packed) == b"a" * 10 + NOISE
    for size in (1, 1000, len(packed)):
        pieces = [packed[i : i + size] for i in range(0, len(packed), size)]
        assert b"".join(packing.unpack(pieces)) == b"a" * 10 + NOISE
    for bad in (packed[:-1], packed + b"x", b"", b"no gzip at all"):
        with pytest.raises(packing.DamagedError):
            list(packing.unpack([bad]))


def test_nothing_is_kept_of_what_failed(tmp_path: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield NOISE
        raise StackError("mysqldump: it went away")

    def interrupted() -> Iterator[bytes]:
        yield NOISE
        raise KeyboardInterrupt

    path = tmp_path / "monitoring-20251120T031500Z.tar"
    with (
        pytest.raises(StackError, match=r"^mysqldump: it went away$"),
        written(path) as w,
    ):
        w.add_packed(TABLES, broken())
    with pytest.raises(KeyboardInterrupt), written(path) as w:
        w.add_packed(TABLES, interrupted())
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_or_may_not_be_written(tmp_path: Path) -> None:
    path = tmp_path / "none" / "a.tar"
    with pytest.raises(StackError) as caught, written(path):
        pass
    assert str(caught.value) == f"{path}: No such file or directory: nothing was kept"


ENDLESS = """
import os, sys
from pathlib import Path
from deploy.stack.backup.archive import written
from deploy.stack.shell import StackError
def endless():
    while True: yield os.urandom(1 << 16)
try:
    with written(Path(sys.argv[1])) as writer:
        writer.add_packed("noise", endless())
except StackError as error:
    print(error)
"""


def test_a_file_system_with_a_limit(tmp_path: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))

    path = tmp_path / "a.tar"
    done = subprocess.run(
        [sys.executable, "-c", ENDLESS, path],
        cwd=ROOT, preexec_fn=limit, check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout == f"{path}: File too large: nothing was kept\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("unshare"), reason="root mounts a small disk"
)
def test_a_disk_that_is_full(tmp_path: Path) -> None:
    mount = f"mount -t tmpfs -o size=2m none {tmp_path}"
    script = f'{mount} && {sys.executable} -c "$1" {tmp_path}/a.tar; ls -A {tmp_path}'
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, "sh", ENDLESS],
        cwd=ROOT, check=False, capture_output=True, text=True,
    )  # fmt: skip
    if "Operation not permitted" in done.stderr:
        pytest.skip("no mounts here")
    said = f"{tmp_path}/a.tar: No space left on device: nothing was kept\n"
    assert done.stdout == said, done.stderr
