"""The files of a volume, packed and put back by a container that sees nothing else.

It is not the service's own, which may be stopped, has no right to give files to others,
and cannot write where it is read-only. GNU tar keeps owners by number, and modes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from deploy.stack.backup import programs
from deploy.stack.backup.members import leads_out
from deploy.stack.volumes import helper


# Of a file that changes while it is read tar says so and goes on: the site is up.
HARMLESS = re.compile(
    r"tar: .*: (file changed as we read it|File removed before we read it)"
    r"|tar: .*: socket ignored"
    r"|tar: .*: File shrank by \d+ bytes; padding with zeros"
)
PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/")
READING = ("DAC_OVERRIDE",)
WRITING = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID")
STAGED, REPLACED = ".restore", ".replaced"
KINDS = {"p": "a pipe", "b": "a device", "c": "a device"}

# An argument may hold no byte that is no text: names come escaped. The dot keeps the
# newlines that one may end with. Blocks of nothing but zeros are holes again; they are
# looked for by reading, not by what the file system says of them.
PACK = r"""
for name; do
  shift
  name=$(printf '%b.' "$name")
  set -- "$@" "--exclude=./${name%.}"
done
exec tar --create --file=- --format=posix --numeric-owner \
  --pax-option=delete=atime,delete=ctime --sort=name --sparse --hole-detection=raw \
  --one-file-system --anchored --no-wildcards "$@" .
"""

STAGE = f"""
rm -rf {STAGED} {REPLACED}
mkdir {STAGED}
exec tar --extract --file=- --directory={STAGED} \
  --preserve-permissions --numeric-owner --same-owner
"""

# Everything moves by name, in a moment; what cannot be finished is undone.
SWAP = f"""
move() {{
  find "$1" -mindepth 1 -maxdepth 1 ! -name {STAGED} ! -name {REPLACED} \
    -exec mv -t "$2" {{}} +
}}
mkdir {REPLACED}
if ! move . {REPLACED}; then
  move {REPLACED} .
  exit 1
fi
if ! move {STAGED} .; then
  move . {STAGED}
  move {REPLACED} .
  exit 1
fi
chown --reference={STAGED} .
chmod --reference={STAGED} .
"""


@dataclass(frozen=True, slots=True)
class Volume:
    """One Docker volume, the image whose programs see it, and its usual place."""

    name: str
    image: str
    root: str = "/var/www/html"

    def pack(self, left_out: Sequence[str] = ()) -> Iterator[bytes]:
        """Yield a tar of the files, but those *left_out*."""
        names = map(escaped, (STAGED, REPLACED, *left_out))
        command = self._run(READING, "sh", "-euc", PACK, "sh", *names)
        return programs.read(f"the volume {self.name}", command, packed_well)

    def unfit(self) -> list[tuple[str, str]]:
        """Return each name that no restore would take, and what is wrong with it."""
        others = ["!", "-type", "f", "!", "-type", "d", "!", "-type", "s"]
        said = self._ask(READING, "find", ".", *others, "-printf", r"%y\0%P\0%l\0")
        fields = said.split("\0")
        found = []
        for kind, name, target in zip(
            fields[::3], fields[1::3], fields[2::3], strict=False
        ):
            if kind != "l":
                found.append((name, f"is no file but {KINDS.get(kind, 'something')}"))
            elif leads_out(name, target, self.root):
                found.append((name, f"leads to {target!r}, out of the volume"))
        return found

    def sh(self, script: str, *arguments: str) -> str:
        """Return what a *script* says that reads the files."""
        return self._ask(READING, "sh", "-euc", script, "sh", *arguments)

    def stage(self, chunks: Iterable[bytes]) -> None:
        """Unpack a tar, *chunks*, beside the files, where nobody looks for it."""
        command = self._run(WRITING, "sh", "-euc", STAGE)
        programs.feed(f"the volume {self.name}", command, chunks)

    def swap(self) -> None:
        """Put what was staged in the place of the files, all or nothing."""
        self._ask(WRITING, "sh", "-euc", SWAP)

    def tidy(self) -> None:
        """Remove what `stage` and `swap` left beside the files."""
        self._ask(WRITING, "rm", "-rf", STAGED, REPLACED)

    def _ask(self, capabilities: Sequence[str], *command: str) -> str:
        return programs.ask(
            f"the volume {self.name}", self._run(capabilities, *command)
        )

    def _run(self, capabilities: Sequence[str], program: str, *rest: str) -> list[str]:
        mode = "ro" if capabilities == READING else "rw"
        return [
            *helper("backup"), "--interactive", "--pull=never",
            "--read-only", "--user=0:0", "--cap-drop=ALL",
            *(f"--cap-add={name}" for name in capabilities),
            "--security-opt=no-new-privileges",
            # In the place of the image's own volume, or Docker would make another.
            f"--volume={self.name}:/var/www/html:{mode}",
            "--workdir=/var/www/html",
            f"--entrypoint={program}", self.image, *rest,
        ]  # fmt: skip


def escaped(name: str) -> str:
    """Return *name* as printf's %b reads it, in ASCII."""
    return "".join(
        chr(byte) if byte in PLAIN else f"\\0{byte:03o}" for byte in os.fsencode(name)
    )


def packed_well(code: int, said: str) -> bool:
    """Whether tar packed everything, but what changed or went in that moment."""
    return code == 0 or (code == 1 and all(map(harmless, said.splitlines())))


def harmless(line: str) -> bool:
    """Whether a line of tar's is about a file that was being written."""
    return HARMLESS.fullmatch(line.strip()) is not None
