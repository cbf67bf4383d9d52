"""Read a backup, and find out whether it is one and whole before anything is done."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.stack.backup import packing
from deploy.stack.backup.manifest import (
    FORMAT,
    MANIFEST,
    PARTS,
    README,
    REQUIRED,
    SUMS,
    WORDPRESS,
    Manifest,
    Part,
    decode,
)
from deploy.stack.backup.members import Members
from deploy.stack.shell import StackError


SMALL_BYTES = 1 << 20
DUMP_END = b"\n-- Dump completed"
ROOTS = {WORDPRESS: "/var/www/html"}


@dataclass(frozen=True, slots=True)
class Archive:
    """A backup file: its manifest, and where in the file each part begins."""

    path: Path
    manifest: Manifest
    places: dict[str, int]

    def part(self, name: str) -> Part | None:
        """Return the part *name*, None when the backup has none."""
        return next((p for p in self.manifest.parts if p.name == name), None)

    def packed(self, part: Part) -> Iterator[bytes]:
        """Yield the bytes of *part* as they are in the file."""
        with self.path.open("rb") as file:
            file.seek(self.places[part.name])
            left = part.bytes
            while left and (chunk := file.read(min(packing.CHUNK, left))):
                left -= len(chunk)
                yield chunk

    def unpacked(self, name: str) -> Iterator[bytes]:
        """Yield the content of the part *name*."""
        part = self.part(name)
        return packing.unpack(self.packed(part)) if part else iter(())


def opened(path: Path) -> Archive:
    """Return the backup *path*; raise StackError when it is none, or not all there."""
    try:
        with tarfile.open(path, "r:") as tar:
            members = tar.getmembers()
            small = {
                m.name: content(tar, m) for m in members if m.name in {MANIFEST, SUMS}
            }
    except OSError as error:
        raise StackError(f"{path}: {error.strerror}") from error
    except tarfile.TarError as error:
        raise StackError(f"{path}: not a whole {FORMAT}: {error}") from error
    try:
        manifest = described(members, small)
    except StackError as error:
        raise StackError(f"{path}: not a whole {FORMAT}: {error}") from error
    return Archive(path, manifest, {m.name: m.offset_data for m in members})


def content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    """Return the content of a small *member*."""
    file = tar.extractfile(member)
    return file.read(SMALL_BYTES) if file else b""


def described(members: list[tarfile.TarInfo], small: dict[str, bytes]) -> Manifest:
    """Return the manifest; raise StackError unless *members* are what it says."""
    if not members or members[0].name != README:
        raise StackError(f"it does not begin with {README}")
    if missing := {MANIFEST, SUMS} - small.keys():
        raise StackError(f"it ends without {' and '.join(sorted(missing))}")
    sums = listed(small[SUMS])
    if sums.get(MANIFEST) != hashlib.sha256(small[MANIFEST]).hexdigest():
        raise StackError(f"{MANIFEST} is not the one that was written")
    manifest = decode(small[MANIFEST])
    check_members(members, manifest)
    if other := [p.name for p in manifest.parts if sums.get(p.name) != p.sha256]:
        raise StackError(f"{SUMS} has another hash of {other[0]} than {MANIFEST}")
    return manifest


def listed(sums: bytes) -> dict[str, str]:
    """Return the hash of each name in a list as sha256sum writes it."""
    pairs = (
        line.partition("  ") for line in sums.decode(errors="replace").splitlines()
    )
    return {name: digest for digest, _, name in pairs}


def check_members(members: list[tarfile.TarInfo], manifest: Manifest) -> None:
    """Raise StackError unless *members* are those that *manifest* names."""
    names = [member.name for member in members]
    parts = [part.name for part in manifest.parts]
    if names != [README, *parts, MANIFEST, SUMS]:
        raise StackError(f"its members are {names}")
    if unknown := set(parts) - set(PARTS):
        raise StackError(f"nobody knows its part {min(unknown)}")
    if missing := set(REQUIRED) - set(parts):
        raise StackError(f"it has no {min(missing)}")
    sizes = {member.name: member.size for member in members}
    for part in manifest.parts:
        if sizes[part.name] != part.bytes:
            raise StackError(f"{part.name} has {sizes[part.name]} bytes")


def verify(archive: Archive) -> None:
    """Read all of *archive*; raise StackError unless it is what was written."""
    for part in archive.manifest.parts:
        digest = hashlib.sha256()
        try:
            size = examine(part, hashing(archive.packed(part), digest))
        except OSError as error:
            raise StackError(f"{archive.path}: {error.strerror}") from error
        except (StackError, packing.DamagedError, tarfile.TarError) as error:
            raise StackError(f"{archive.path}: {part.name}: {error}") from error
        if digest.hexdigest() != part.sha256 or size != part.unpacked_bytes:
            raise StackError(
                f"{archive.path}: {part.name} is not the one that was written "
                "(its hash differs)"
            )


def hashing(chunks: Iterable[bytes], digest: hashlib._Hash) -> Iterator[bytes]:
    """Yield *chunks*, each after *digest* took it."""
    for chunk in chunks:
        digest.update(chunk)
        yield chunk


def examine(part: Part, packed: Iterable[bytes]) -> int:
    """Look at all of a part, return its unpacked size; raise at what must not be."""
    content = Counted(packing.unpack(packed))
    if part.name.endswith(".sql.gz"):
        end = b""
        while chunk := content.read(packing.CHUNK):
            end = (end + chunk)[-200:]
        if DUMP_END not in end:
            raise StackError("the dump has no end")
        return content.size
    members = Members(ROOTS.get(part.name, "/"))
    with tarfile.open(fileobj=content, mode="r|") as tar:
        for member in tar:
            if problem := members.problem(member):
                raise StackError(problem)
            tar.members = []  # type: ignore[attr-defined]  # or it keeps them all
    while content.read(packing.CHUNK):
        pass
    return content.size


class Counted(io.RawIOBase):
    """A file to read from, whose content are *chunks*; how much was read is `size`."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""
        self.size = 0

    def read(self, size: int = -1, /) -> bytes:
        """Return *size* bytes, fewer only at the end."""
        pieces, wanted = [], size
        while wanted > 0:
            if not self._rest:
                self._rest = next(self._chunks, b"")
                if not self._rest:
                    break
            piece, self._rest = self._rest[:wanted], self._rest[wanted:]
            pieces.append(piece)
            wanted -= len(piece)
        data = b"".join(pieces)
        self.size += len(data)
        return data
