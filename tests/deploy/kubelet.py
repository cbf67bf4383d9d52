"""A node's /var/log as the kubelet and containerd write it."""

from __future__ import annotations

import gzip
import shutil
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple


PART_BYTES = 16 * 1024  # what containerd gives a part of a long line


class Container(NamedTuple):
    """A container of a pod; *restarts* is the name of its file."""

    namespace: str
    pod: str
    name: str
    restarts: int = 0


class Stream(NamedTuple):
    """What the shipper has to tell apart."""

    namespace: str
    pod: str
    container: str
    stream: str


@dataclass
class Kubelet:
    """Writes logs below *var_log*, and remembers what was logged by which stream."""

    var_log: Path
    logged: dict[Stream, list[str]] = field(default_factory=lambda: defaultdict(list))
    _rotations: int = 0

    def log(self, container: Container, *lines: str, stream: str = "stdout") -> None:
        """Write whole *lines*, long ones in parts."""
        for line in lines:
            parts = [line[i : i + PART_BYTES] for i in range(0, len(line), PART_BYTES)]
            for part in parts[:-1]:
                self.part(container, part, stream=stream)
            self.part(container, (parts or [""])[-1], stream=stream, flag="F")
            self.expect(container, line, stream=stream)

    def expect(
        self, container: Container, line: str, *, stream: str = "stdout"
    ) -> None:
        """Note that *container* has logged *line*."""
        self.logged[Stream(*container[:3], stream)].append(line)

    def part(
        self,
        container: Container,
        text: str,
        *,
        stream: str = "stdout",
        flag: str = "P",
    ) -> None:
        """Write one line of the file, a part of a line as it may be."""
        path = self.path(container)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._link(container, path)
        with path.open("a") as file:
            file.write(f"{now()} {stream} {flag} {text}\n")

    def path(self, container: Container) -> Path:
        """Return the file that the runtime writes to."""
        return self.folder(container) / container.name / f"{container.restarts}.log"

    def folder(self, container: Container) -> Path:
        """Return the folder of the pod."""
        name = f"{container.namespace}_{container.pod}_{uid(container)}"
        return self.var_log / "pods" / name

    def _link(self, container: Container, path: Path) -> None:
        name = f"{container.pod}_{container.namespace}_{container.name}-{'ab' * 32}.log"
        link = self.var_log / "containers" / name
        link.parent.mkdir(exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(path)

    def rotate(self, container: Container) -> Path:
        """Rename the file, as the kubelet does before the runtime opens a new one."""
        self._rotations += 1
        path = self.path(container)
        rotated = path.with_name(f"{path.name}.20261126-{120000 + self._rotations}")
        path.rename(rotated)
        return rotated

    @staticmethod
    def compress(rotated: Path) -> None:
        """Compress a rotated file, as the kubelet does at the rotation after."""
        part = rotated.with_name(f"{rotated.name}.tmp")
        with rotated.open("rb") as source, gzip.open(part, "wb") as target:
            shutil.copyfileobj(source, target)
        part.rename(f"{rotated}.gz")
        rotated.unlink()

    def delete(self, container: Container) -> None:
        """Remove the pod of *container* and its links."""
        shutil.rmtree(self.folder(container))
        for link in (self.var_log / "containers").iterdir():
            if not link.exists():
                link.unlink()


def uid(container: Container) -> str:
    """Return a uid for the pod, always the same."""
    seed = hash((container.namespace, container.pod)) & (2**48 - 1)
    return f"8a6b4c2d-1e3f-4a5b-8c7d-{seed:012x}"


def now() -> str:
    """Return the time as containerd writes it: RFC 3339, nanoseconds, the zone."""
    moment = time.time_ns()
    seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment // 10**9))
    return f"{seconds}.{moment % 10**9:09d}Z"
