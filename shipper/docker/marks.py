"""A `Mark` as text, as it stands in the positions and in the spool."""

from __future__ import annotations

import re

from shipper.docker.progress import Mark


_MARK = re.compile(r"(-?\d+) ([0-9a-f]+(?:,[0-9a-f]+)*)(?: high=(-?\d+))?(?: n=(\d+))?")


def format_mark(mark: Mark) -> str:
    """Return *mark* as text: time, checksums, high water if it matters, number."""
    checksums = ",".join(f"{checksum:08x}" for checksum in mark.checksums)
    text = f"{mark.timestamp_ns} {checksums}"
    if mark.high_ns > mark.timestamp_ns:
        text += f" high={mark.high_ns}"
    return f"{text} n={mark.number}" if mark.number else text


def parse_mark(text: str) -> Mark:
    """Return the mark that *text* says; ValueError when it says none."""
    match = _MARK.fullmatch(text)
    if match is None:
        raise ValueError(
            f"expected '<ns> <checksum>,… [high=<ns>] [n=<lines>]', got {text!r}"
        )
    stamp, checksums, high, number = match.groups()
    timestamp_ns = int(stamp)
    high_ns = timestamp_ns if high is None else int(high)
    words = tuple(int(word, 16) for word in checksums.split(","))
    return Mark(timestamp_ns, words, max(high_ns, timestamp_ns), int(number or 0))
