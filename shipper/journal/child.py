"""A child process whose output is read: it never outlives who reads it."""

from __future__ import annotations

import asyncio
import logging
import os
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import IO


log = logging.getLogger(__name__)

CHUNK_BYTES = 64 * 1024
TERMINATE_SECONDS = 0.3
KILL_SECONDS = 5.0
MAX_COMPLAINT_BYTES = 1000


class Child:
    """Runs *command*; read its `output`, then see `problem`."""

    def __init__(self, command: Sequence[str]) -> None:
        self.problem = ""
        """Why it ended, in one line; empty: it did what it was to do."""
        self._command = command
        self._complaint = ""

    async def output(self) -> AsyncGenerator[bytes, None]:
        """Yield what it writes until it ends; closed early, it is ended.

        Raises OSError when it cannot be started.
        """
        async with _pipe() as (output, to_output), _pipe() as (errors, to_errors):
            process = await self._start(to_output, to_errors)
            complaints = asyncio.create_task(self._listen(errors))
            try:
                while chunk := await output.read(CHUNK_BYTES):
                    yield chunk
                code = await process.wait()
                await complaints
                if code:
                    self.problem = self._complaint or f"ended with status {code}"
            finally:
                await _end(process)
                complaints.cancel()
                await asyncio.wait([complaints])

    async def _start(self, output: IO[bytes], errors: IO[bytes]) -> Process:
        try:
            return await asyncio.create_subprocess_exec(
                *self._command,
                stdin=DEVNULL,
                stdout=output,
                stderr=errors,
                env={**os.environ, "LC_ALL": "C", "SYSTEMD_COLORS": "0"},
                # A ^C in the terminal is for us; we end it when we have stopped.
                start_new_session=True,
            )
        finally:  # else the end of the pipes would never be seen
            output.close()
            errors.close()

    async def _listen(self, stream: asyncio.StreamReader) -> None:
        """Log what the child complains about, line by line."""
        while line := await _line(stream):
            text = line.decode("utf-8", "replace").strip()
            if text and text != self._complaint:
                self._complaint = text
                log.warning("%s: %s", self._command[0], text)


@asynccontextmanager
async def _pipe() -> AsyncGenerator[tuple[asyncio.StreamReader, IO[bytes]], None]:
    """Open a pipe to read from; asyncio's own are left open when they are full."""
    loop = asyncio.get_running_loop()
    readable, writable = os.pipe()
    with os.fdopen(writable, "wb") as to:
        reader = asyncio.StreamReader(limit=CHUNK_BYTES)
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(readable, "rb")
        )
        try:
            yield reader, to
        finally:
            transport.close()


async def _line(stream: asyncio.StreamReader) -> bytes:
    try:
        line = await stream.readline()
    except ValueError:  # longer than the stream's buffer, which is cleared then
        return b"a line that is too long\n"
    return line[:MAX_COMPLAINT_BYTES]


async def _end(process: Process) -> None:
    """End the child if it runs, and take its status: no zombie stays."""
    for stop, seconds in (
        (process.terminate, TERMINATE_SECONDS),
        (process.kill, KILL_SECONDS),
    ):
        if process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            stop()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await process.wait()
