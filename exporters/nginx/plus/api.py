"""Ask the API of one NGINX Plus for its documents.

Upstream counterpart: ``get`` and the error answers in nginx-plus-go-client
``client/nginx.go``.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Protocol

from exporters.nginx.errors import ScrapeError
from exporters.nginx.stub_status import excerpt
from exporters.nginx.targets import Target

from .document import mapping, parse, text


# A server of an upstream has about 1 kB, so this is an nginx with 15,000 of them.
MAX_BODY_BYTES = 16 * 1024 * 1024

# Connections to one nginx at a time. Upstream opens fourteen and keeps two of them.
PARALLEL = 6


class Answer(Protocol):
    """A status and a body, which is whole where the status is 200."""

    @property
    def status(self) -> int:
        """Return the status."""

    @property
    def body(self) -> bytes:
        """Return the body."""


class Session(Protocol):
    """A way to one nginx: `exporters.nginx.http.client.Client` is one."""

    @property
    def target(self) -> Target:
        """Return which nginx it is."""

    async def get(self, suffix: str, /, *, max_bytes: int) -> Answer:
        """Return the answer to a GET of the API's URI with *suffix* after its path.

        Raises ScrapeError for everything that is not an answer in HTTP, and for a
        body of more than *max_bytes*. The caller keeps the time.
        """


class RefusedError(ScrapeError):
    """Report an answer whose *status* is not 200; *code* is nginx's word for why."""

    def __init__(self, path: str, status: int, code: str, reason: str) -> None:
        super().__init__(f"{path}: expected 200 response, got {status}{reason}")
        self.status = status
        self.code = code


class Questions:
    """Ask *session* during one scrape, a few at a time; know what is unanswered."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._slots = asyncio.Semaphore(PARALLEL)
        self._open: list[str] = []

    async def document(self, path: str) -> object:
        """Return the document at *path*, which is put after the API's.

        Raises RefusedError if the status is not 200, ScrapeError for all else that
        goes wrong; both texts begin with *path*.
        """
        try:
            answer = await self._ask(path)
            if answer.status == 200:
                return parse(answer.body)
        except ScrapeError as error:
            raise ScrapeError(f"{path or '/'}: {error}") from error
        raise refused(path or "/", answer)

    async def _ask(self, path: str) -> Answer:
        async with self._slots:
            shown = path or "/"
            self._open.append(shown)
            try:
                answer = await self._session.get(path, max_bytes=MAX_BODY_BYTES)
            except ScrapeError:
                self._open.remove(shown)
                raise
            self._open.remove(shown)  # not if cancelled: it is what was waited for
            return answer

    def unanswered(self) -> str:
        """Return which paths were asked and have no answer, for an error text."""
        return ", ".join(self._open) or "none under way"


def refused(path: str, answer: Answer) -> RefusedError:
    """Return the error that *answer* is; its body need not be the API's."""
    code = about = ""
    with suppress(ScrapeError):
        error = mapping(mapping(parse(answer.body), ()).get("error"), ())
        code, about = text(error.get("code"), ()), text(error.get("text"), ())
    # No colon: behind "got 404 " the page of a probe shows nothing (probe/record.py).
    reason = f" {excerpt(about.encode())}" if about else ""
    if code:
        reason += f" ({excerpt(code.encode())[1:-1]})"
    return RefusedError(path, answer.status, code, reason)
