"""What the commands of the benchmarks share: numbers in arguments, and their end."""

from __future__ import annotations

import argparse
import signal
from types import FrameType


def positive(text: str) -> int:
    """Return *text* as a number above 0; raise ArgumentTypeError otherwise."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text!r}")
    return int(text)


def end_on_sigterm() -> None:
    """Have SIGTERM end this program as ^C does: what it started is ended on the way."""
    signal.signal(signal.SIGTERM, _end)


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
