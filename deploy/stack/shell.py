"""Run other programs and say what is going on."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


class StackError(Exception):
    """Say in one sentence what is missing and what to do about it."""


def say(text: str) -> None:
    """Tell the person at the terminal what happens next."""
    print(f"==> {text}", flush=True)


def run(
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout_seconds: float | None = None,
) -> None:
    """Run *command* with its output shown; raise StackError when it fails."""
    try:
        done = subprocess.run(
            command, cwd=cwd, env=env, timeout=timeout_seconds, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StackError(f"{command[0]}: {error}") from error
    if done.returncode:
        raise StackError(f"{' '.join(command)}: exit code {done.returncode}")


def output(
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    timeout_seconds: float = 60,
) -> tuple[int, str]:
    """Return the exit code of *command* and what it printed on both streams."""
    try:
        done = subprocess.run(
            command,
            env=env,
            timeout=timeout_seconds,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return 127, str(error)
    return done.returncode, done.stdout


def quiet(command: Sequence[str], *, timeout_seconds: float = 1800) -> None:
    """Run *command* and show its output only when it fails."""
    code, text = output(command, timeout_seconds=timeout_seconds)
    if code:
        print(text)
        raise StackError(f"{' '.join(command)}: exit code {code}")
