"""Read one NGINX Plus: which version it speaks, what it has, all its documents.

Upstream counterpart: ``GetStats`` and ``GetNginxLicense`` in nginx-plus-go-client
``client/nginx.go``. As there, an endpoint that fails makes the whole reading fail: a
scrape with holes would look like traffic that went away. Only the license may be
missing, and what ``stream`` says it does not have.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

from exporters.nginx.errors import ScrapeError

from .api import Questions, RefusedError, Session
from .document import DocumentError, mapping, text
from .endpoints import CONNECTIONS, HTTP, LICENSE, STREAM, Endpoint
from .versions import NEWEST, agree, names


# The license came with this release, within version 9 of the API.
LICENSE_RELEASE = 33
_RELEASE = re.compile(r"-r([0-9]{1,9})")

Documents = dict[Endpoint, object]
T = TypeVar("T")


class Reader:
    """Read what nginx counts over *session*; remember which version it speaks."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._version = NEWEST

    async def read(self, limit_seconds: float) -> Documents:
        """Return all documents, each by its endpoint; raise ScrapeError if it cannot.

        *limit_seconds* is for all of them together. In the place of a license that
        cannot be read stands the ScrapeError why.
        """
        questions = Questions(self.session)
        try:
            async with asyncio.timeout(limit_seconds):
                return await self._read(questions)
        except TimeoutError as error:
            raise ScrapeError(
                f"no complete answer within {limit_seconds:g}s: "
                f"waiting for {questions.unanswered()}"
            ) from error

    async def _read(self, questions: Questions) -> Documents:
        version, listed = await agree(questions, self._version)
        self._version = version
        parts = [_all(questions, version, HTTP)]
        if "stream" in listed:
            parts.append(_stream(questions, version))
        if version >= LICENSE.since:
            parts.append(_license(questions, version))
        documents: Documents = {}
        for part in await _together(parts):
            documents |= part
        # Last and alone, so that the other requests do not count themselves.
        return documents | await _all(questions, version, (CONNECTIONS,))


async def _all(
    questions: Questions, version: int, endpoints: Iterable[Endpoint]
) -> Documents:
    """Return the documents at *endpoints*, as far as *version* has them."""
    wanted = [endpoint for endpoint in endpoints if endpoint.since <= version]
    documents = await _together(
        questions.document(f"/{version}/{endpoint.path}") for endpoint in wanted
    )
    return dict(zip(wanted, documents, strict=True))


async def _stream(questions: Questions, version: int) -> Documents:
    """Return what there is of ``stream``."""
    listed = set(await names(questions, f"/{version}/stream"))
    if "limit_conns" in listed:
        listed.add("zone_sync")  # upstream asks it then, listed or not
    parts = await _together(
        _if_there(questions, version, endpoint)
        for endpoint in STREAM
        if endpoint.path.removeprefix("stream/") in listed
    )
    return {endpoint: document for part in parts for endpoint, document in part.items()}


async def _if_there(
    questions: Questions, version: int, endpoint: Endpoint
) -> Documents:
    try:
        return await _all(questions, version, (endpoint,))
    except RefusedError as error:
        if error.code == "PathNotFound":
            return {}
        raise


async def _license(questions: Questions, version: int) -> Documents:
    """Return the license, or in its place the ScrapeError why it cannot be read.

    A release that has none yet has an empty one, which expired at 0, as upstream.
    """
    path = f"/{version}/nginx"
    info = await questions.document(path)
    try:
        if _release(path, info) < LICENSE_RELEASE:
            return {LICENSE: {}}
        return await _all(questions, version, (LICENSE,))
    except ScrapeError as error:
        return {LICENSE: error}


def _release(path: str, info: object) -> int:
    build = text(mapping(info, (path,)).get("build"), (path, "build"))
    release = _RELEASE.search(build)
    if release is None:
        expected = "a release of NGINX Plus (-rN)"
        raise DocumentError((path, "build"), expected, build)
    return int(release[1])


async def _together(coroutines: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Return the results of *coroutines*, run at once; raise the first error."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in coroutines]
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]
