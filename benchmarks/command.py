"""What the commands of the benchmarks share: numbers in arguments, and their end."""

from __future__ import annotations

import argparse
import os
import signal
from pathlib import Path
from types import FrameType


def positive(text: str) -> int:
    """Return *text* as a number above 0; raise ArgumentTypeError otherwise."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text!r}")
    return int(text)


def new_file(text: str) -> Path:
    """Return the path *text* if a file can be there; raise ArgumentTypeError otherwise.

    It is asked before a run, not after a quarter of an hour.
    """
    path = Path(text)
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise argparse.ArgumentTypeError(f"expected a file to write, got {text!r}")
    return path


def end_on_sigterm() -> None:
    """Have SIGTERM end this program as ^C does: what it started is ended on the way."""
    signal.signal(signal.SIGTERM, _end)


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
