"""The way in: ``python -m shipper logs``. What is slow to import comes when needed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final, TextIO

from .errors import LogsError, UsageError
from .flags import HelpWanted, Options, parse_argv


OK: Final = 0
FAILED: Final = 1
WRONG_USAGE: Final = 2
INTERRUPTED: Final = 130


def main(
    argv: Sequence[str], environ: Mapping[str, str], out: TextIO, err: TextIO
) -> int:
    """Show logs as *argv* says and return the exit code; never raise for a user."""
    try:
        options = parse_argv(argv, environ)
    except HelpWanted as wanted:
        out.write(str(wanted))
        return OK
    except UsageError as error:
        return _fail(error, err)
    try:
        return _run(options, environ, out, err)
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(options: Options, environ: Mapping[str, str], out: TextIO, err: TextIO) -> int:
    # aiohttp and json cost a fifth of a second; --help and mistakes need neither.
    from .run import run  # noqa: PLC0415
    from .screen import Screen  # noqa: PLC0415

    screen: Screen | None = None
    try:
        screen = Screen(options, environ, out, err)
        asyncio.run(run(options, screen))
    except BrokenPipeError:
        if screen is not None:
            screen.leave()
    except LogsError as error:
        return _fail(error, err)
    return OK


def _fail(error: LogsError, err: TextIO) -> int:
    """Print *error*: its text, then the hint, or below it the query and a caret."""
    from .safe import escaped  # noqa: PLC0415

    text = f"logs: {escaped(error.text)}"
    if error.hint.startswith("\n"):
        text += error.hint
    elif error.hint:
        text += f" ({escaped(error.hint)})"
    err.write(f"{text}\n")
    err.flush()
    return WRONG_USAGE if isinstance(error, UsageError) else FAILED
