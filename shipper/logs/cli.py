"""The way in: ``python -m shipper logs``. What is slow to import comes when needed."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Mapping, Sequence
from typing import Final, TextIO

from .errors import LogsError, UsageError
from .flags import HelpWanted, parse_argv
from .safe import escaped


OK: Final = 0
FAILED: Final = 1
WRONG_USAGE: Final = 2
INTERRUPTED: Final = 130


def main(
    argv: Sequence[str], environ: Mapping[str, str], out: TextIO, err: TextIO
) -> int:
    """Show logs as *argv* says and return the exit code; never raise for a user."""
    try:
        _run(argv, environ, out, err)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _leave(out)
    except LogsError as error:
        _tell(error, err)
        return WRONG_USAGE if isinstance(error, UsageError) else FAILED
    except OSError as error:  # what the network does is a LogsError
        _tell(LogsError(f"cannot write: {error.strerror or error}"), err)
        _leave(out)
        return FAILED
    return OK


def _run(
    argv: Sequence[str], environ: Mapping[str, str], out: TextIO, err: TextIO
) -> None:
    try:
        options = parse_argv(argv, environ)
    except HelpWanted as wanted:
        out.write(str(wanted))
        out.flush()
        return
    # aiohttp and json cost a fifth of a second; --help and mistakes need neither.
    from .run import run  # noqa: PLC0415
    from .screen import Screen  # noqa: PLC0415

    asyncio.run(run(options, Screen(options, environ, out, err)))


def _tell(error: LogsError, err: TextIO) -> None:
    """Print *error*: its text, then the hint, or below it the query and a caret."""
    text = f"logs: {escaped(error.text)}"
    if error.hint.startswith("\n"):
        text += error.hint
    elif error.hint:
        text += f" ({escaped(error.hint)})"
    err.write(f"{text}\n")
    err.flush()


def _leave(out: TextIO) -> None:
    """Let the interpreter close what cannot be written to without a word."""
    with contextlib.suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(null, out.fileno())
        finally:
            os.close(null)
