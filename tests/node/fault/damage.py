"""Ways in which a file of /proc or /sys can be wrong, and how to undo them."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


Damage = Callable[[Path, bytes, random.Random], None]


def _rewritten(change: Callable[[bytes, random.Random], bytes]) -> Damage:
    def damage(path: Path, content: bytes, chance: random.Random) -> None:
        path.write_bytes(change(content, chance))

    return damage


def _half(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content) + 1)]


def _noise(_: bytes, chance: random.Random) -> bytes:
    return chance.randbytes(chance.randrange(1, 300))


def _flipped(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content or b"\0")
    for _ in range(1 + len(changed) // 20):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _digits(replacement: bytes) -> Callable[[bytes, random.Random], bytes]:
    def change(content: bytes, _: random.Random) -> bytes:
        return b"".join(
            replacement if byte.isdigit() else byte
            for byte in (content[i : i + 1] for i in range(len(content)))
        )

    return change


def _shuffled_lines(content: bytes, chance: random.Random) -> bytes:
    lines = content.split(b"\n")
    chance.shuffle(lines)
    return b"\n".join(lines)


def _shuffled_words(content: bytes, chance: random.Random) -> bytes:
    words = content.split()
    chance.shuffle(words)
    return b" ".join(words) + b"\n"


def _doubled(content: bytes, _: random.Random) -> bytes:
    return content + content


def _vanished(path: Path, _: bytes, __: random.Random) -> None:
    path.unlink()


def _unreadable(path: Path, _: bytes, __: random.Random) -> None:
    # Root may read whatever a mode denies; a directory's bytes nobody can.
    path.unlink()
    path.mkdir()


def _dangling(path: Path, _: bytes, __: random.Random) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def _loop(path: Path, _: bytes, __: random.Random) -> None:
    path.unlink()
    path.symlink_to(path.name)


DAMAGES: dict[str, Damage] = {
    "empty": _rewritten(lambda _, __: b""),
    "a newline": _rewritten(lambda _, __: b"\n"),
    "truncated": _rewritten(_half),
    "noise": _rewritten(_noise),
    "bytes changed": _rewritten(_flipped),
    "huge numbers": _rewritten(_digits(b"9" * 40)),
    "negative numbers": _rewritten(_digits(b"-1")),
    "letters for digits": _rewritten(_digits(b"x")),
    "lines shuffled": _rewritten(_shuffled_lines),
    "words shuffled": _rewritten(_shuffled_words),
    "twice": _rewritten(_doubled),
    "vanished": _vanished,
    "unreadable": _unreadable,
    "dangling link": _dangling,
    "link to itself": _loop,
}


@contextmanager
def damaged(path: Path, damage: Damage, chance: random.Random) -> Iterator[None]:
    """Damage the file at *path*; afterwards it is as it was."""
    content = path.read_bytes()
    damage(path, content, chance)
    try:
        yield
    finally:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif os.path.lexists(path):
            path.unlink()
        path.write_bytes(content)


@contextmanager
def without(folder: Path) -> Iterator[None]:
    """Let the whole *folder* vanish; afterwards it is there again."""
    aside = folder.with_name(folder.name + ".aside")
    folder.rename(aside)
    try:
        yield
    finally:
        aside.rename(folder)
