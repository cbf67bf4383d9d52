"""Agree with an NGINX Plus on the version of its API to speak.

Upstream's exporter asks version 9 and nothing else, so that an nginx before R30 is
"down". Here the highest version that both sides know is asked (``GetMaxAPIVersion``
in nginx-plus-go-client ``client/nginx.go``, which upstream's exporter does not call).
"""

from __future__ import annotations

from exporters.nginx.errors import ScrapeError

from .api import Questions, RefusedError
from .document import DocumentError, items, text


# client/nginx.go supportedAPIVersions
VERSIONS = range(4, 10)
NEWEST = VERSIONS[-1]


async def agree(questions: Questions, last: int) -> tuple[int, list[str]]:
    """Return the version to ask, and the names of what it has at the first level.

    *last* is what was agreed on before. An nginx that knows the newest version is not
    asked which ones it knows, as upstream does not: its list may not be reachable. An
    older one is, each time, so that an upgrade is noticed. Raises ScrapeError.
    """
    version = last
    if version != NEWEST:
        version = await _highest(questions)
    try:
        return version, await names(questions, f"/{version}/")
    except RefusedError as error:
        version = await _another(questions, error, version)
    return version, await names(questions, f"/{version}/")


async def names(questions: Questions, path: str) -> list[str]:
    """Return the names of what there is below *path*; raise ScrapeError."""
    document = await questions.document(path)
    try:
        return [text(name, (at,)) for at, name in enumerate(items(document, ()))]
    except DocumentError as error:
        raise ScrapeError(f"{path}: {error}") from error


async def _another(questions: Questions, refusal: RefusedError, asked: int) -> int:
    """Return the version to ask after *asked* was refused, or raise *refusal*."""
    if refusal.status == 404:
        try:
            version = await _highest(questions)
        except RefusedError:
            raise refusal from None  # nor is there a list of versions: it is no API
        if version != asked:
            return version
    raise refusal


async def _highest(questions: Questions) -> int:
    """Return the highest version that both sides know; raise ScrapeError if none."""
    try:
        listed = items(await _list(questions), ())
    except DocumentError as error:
        raise ScrapeError(f"/: {error}") from error
    known = [each for each in listed if type(each) is int and each in VERSIONS]
    if not known:
        raise ScrapeError(
            f"/: expected a version of the API from {VERSIONS[0]} to {NEWEST} among "
            f"those that nginx knows, got {len(listed)} others"
        )
    return max(known)


async def _list(questions: Questions) -> object:
    try:
        return await questions.document("")
    except RefusedError:  # the location ends with a slash, the URI that was given not
        return await questions.document("/")
