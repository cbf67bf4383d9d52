"""Programs whose output or input is too large to hold: through a pipe, in pieces."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import IO

from deploy.stack.backup.packing import CHUNK
from deploy.stack.shell import StackError


SAID_BYTES = 1 << 24  # of tar, a line for each file that changed meanwhile
Judge = Callable[[int, str], bool]


def succeeded(code: int, _said: str) -> bool:
    """Whether a program ended well: with 0."""
    return code == 0


def read(
    what: str, command: Sequence[str], judge: Judge = succeeded
) -> Iterator[bytes]:
    """Yield what *command* prints; raise StackError about *what* unless it ends well.

    *judge* decides from the exit code and what was said on stderr.
    """
    with running(command, stdout=subprocess.PIPE) as (process, errors):
        assert process.stdout is not None
        while chunk := process.stdout.read(CHUNK):
            yield chunk
        check(what, process, errors, judge)


def feed(what: str, command: Sequence[str], chunks: Iterable[bytes]) -> None:
    """Give *chunks* to *command*; raise StackError about *what* unless it ends well."""
    with running(command, stdin=subprocess.PIPE) as (process, errors):
        assert process.stdin is not None
        try:
            for chunk in chunks:
                process.stdin.write(chunk)
            process.stdin.close()
        except BrokenPipeError:
            pass  # it ended before the end, and says why
        check(what, process, errors, succeeded)


def ask(what: str, command: Sequence[str], question: bytes = b"") -> str:
    """Return what *command* answers to *question*; file names may be no text."""
    with running(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as (
        process,
        errors,
    ):
        answer, _ = process.communicate(question)
        check(what, process, errors, succeeded)
        return answer.decode(errors="surrogateescape")


@contextmanager
def running(
    command: Sequence[str],
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.DEVNULL,
) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes]]]:
    """Run *command* for as long as the block; who leaves it early ends the program."""
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(
                command, stdin=stdin, stdout=stdout, stderr=errors
            )
        except OSError as error:
            raise StackError(f"{command[0]}: {error.strerror}") from error
        try:
            yield process, errors
        finally:
            # TERM, which the docker client passes on; KILL would leave the container.
            if process.poll() is None:
                process.terminate()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    close(pipe)
            process.wait()


def close(pipe: IO[bytes]) -> None:
    """Close *pipe*, whether or not somebody still listens at its other end."""
    with suppress(BrokenPipeError):
        pipe.close()


def check(
    what: str, process: subprocess.Popen[bytes], errors: IO[bytes], judge: Judge
) -> None:
    """Raise StackError about *what* unless *judge* takes how the program ended."""
    code = process.wait()
    errors.seek(0)
    said = errors.read(SAID_BYTES).decode(errors="replace").strip()
    if not judge(code, said):
        # The last line is the reason; what is before it is mostly advice.
        reason = said.splitlines()[-1].strip() if said else "nothing was said"
        raise StackError(f"{what}: {reason} (exit code {code})")
