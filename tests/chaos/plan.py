"""What a container is to write, line by line, and how a line is read again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


STREAMS = ("stdout", "stderr")
BURST_SECONDS = 0.1
# What a burst costs beside its sleep: a fork, and the lines themselves.
BURST_OVERHEAD = 1.06


class Key(NamedTuple):
    """What is counted by itself: one stream of one life of a container."""

    writer: str
    life: int
    stream: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a container writes: *lines* on each stream, *rate* a second on both.

    Each line ends with *pad* bytes. With a rate of 0 nothing waits. When all is
    written the container stays if it *holds*, or lives for another *linger* seconds;
    *after* is a command of the shell before that. *rm* has Docker remove it at its end,
    so that nobody can ask what was kept. *refused* says that Loki never takes its
    lines. *options* are further ones of ``docker run``.
    """

    name: str
    lines: int
    rate: int = 1000
    pad: int = 40
    holds: bool = False
    tty: bool = False
    rm: bool = False
    refused: bool = False
    linger: float = 0.0
    after: str = ""
    options: tuple[str, ...] = ()

    @property
    def burst(self) -> int:
        """Return how many lines of each stream are written at a time."""
        return max(1, round(self.rate / 2 * BURST_SECONDS * BURST_OVERHEAD))

    @property
    def script(self) -> str:
        """Return what the shell of the container runs; it counts its lives."""
        pause = f"sleep {BURST_SECONDS}" if self.rate else ""
        variables = (
            f"-v name={self.name} -v life=$life -v n={self.lines} -v b={self.burst}"
            f" -v size={self.pad} -v pause='{pause}'"
        )
        steps = [
            "life=$(cat /life 2>/dev/null || echo 0)",
            "life=$((life + 1))",
            "echo $life >/life",
            f"awk {variables} '{AWK}'",
            f"sleep {self.linger}" if self.linger else "",
            self.after,
            "exec sleep 1000000" if self.holds else "",
        ]
        return "; ".join(filter(None, steps))


# Both streams get their line in turn; what is in awk's buffers leaves after a burst.
AWK = """BEGIN {
  pad = ";"; while (length(pad) < size) pad = pad pad
  pad = substr(pad, 1, size)
  for (i = 1; i <= n; i++) {
    print name, life, "stdout", i, pad
    print name, life, "stderr", i, pad > "/dev/stderr"
    if (i % b == 0) { fflush(); fflush("/dev/stderr"); if (pause) system(pause) }
  }
}"""


def parse(line: bytes, pad: int) -> tuple[Key, int] | None:
    """Return whose line it is and its number; None when it is not whole."""
    parts = line.rstrip(b"\r\n").split(b" ")
    if len(parts) != 5 or len(parts[4]) != pad or not parts[3].isdigit():
        return None
    name, life, stream, number, _ = parts
    if not life.isdigit():
        return None
    return Key(name.decode("utf-8", "replace"), int(life), stream.decode()), int(number)
