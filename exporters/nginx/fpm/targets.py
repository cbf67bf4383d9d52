"""Turn ``--fpm.scrape-uri`` values into targets: text in, values out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from exporters.toolkit.errors import StartError


EXPECTED = "expected tcp://host:port/path, unix:/socket:/path or unix:///socket;/path"
# What www.conf of php-fpm has behind "listen" and, as a comment, "pm.status_path".
DEFAULT_PORT = 9000
DEFAULT_PATH = "/status"

# The form of the page is ours to choose: php-fpm looks for html and xml before json.
QUERY = "json&full"
_FORMS = frozenset({"json", "full", "html", "xml", "openmetrics"})

_UNIX = "unix:"
_SEPARATOR = re.compile(r"\s*[,\n]\s*(?=tcp://|unix:)", re.IGNORECASE)
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f]")


@dataclass(frozen=True, slots=True)
class FpmTarget:
    """One pool to ask: over the unix *socket* if there is one, else *host* and *port*.

    *name* is the URI as it was given, less its credentials: the ``scrape_uri`` label
    and every log line use it. *path* and *query* are what is asked for.
    """

    name: str
    path: str
    query: str
    socket: str | None = None
    host: str = ""
    port: int = DEFAULT_PORT


def parse_fpm_targets(values: Iterable[str]) -> tuple[FpmTarget, ...]:
    """Return the targets that *values* name, each once, in the order given.

    A value may hold several URIs separated by commas or newlines. Raises StartError
    for a URI that cannot be read.
    """
    parts = (part for value in values for part in _SEPARATOR.split(value))
    uris = (part.strip().rstrip(",").rstrip() for part in parts)
    targets = [parse_fpm_target(uri) for uri in uris if uri]
    return tuple({target.name: target for target in targets}.values())


def parse_fpm_target(uri: str) -> FpmTarget:
    """Return the target that *uri* names; raise StartError if it names none."""
    if _UNPRINTABLE.search(uri):
        raise _unreadable(uri)
    if uri[: len(_UNIX)].lower() == _UNIX:
        return _unix_target(uri)
    try:
        parts = urlsplit(uri, allow_fragments=False)
        port = parts.port  # raises ValueError: "Port could not be cast to integer"
    except ValueError as error:
        raise _unreadable(uri) from error
    path = parts.path or DEFAULT_PATH
    if parts.scheme != "tcp" or not parts.hostname or port == 0 or path[0] != "/":
        raise _unreadable(uri)
    return FpmTarget(
        name=_without_credentials(uri, parts),
        path=path,
        query=_query(parts.query),
        host=parts.hostname.replace("%25", "%"),  # the zone of a link-local address
        port=DEFAULT_PORT if port is None else port,
    )


def _unix_target(uri: str) -> FpmTarget:
    # hipages' exporter separates with ";", this one with ":/" as for nginx.
    rest, _, query = uri[len(_UNIX) :].partition("?")
    if rest.startswith("//"):
        rest = rest.removeprefix("//")
        if not rest.startswith("/"):  # unix://run/… would be a host named run
            raise _unreadable(uri)
    if ";" in rest:
        socket, _, path = rest.partition(";")
    elif ":/" in rest:
        socket, _, path = rest.rpartition(":/")
        path = f"/{path}"
    else:
        socket, path = rest, ""
    path = path or DEFAULT_PATH
    if not socket or not path.startswith("/"):
        raise _unreadable(uri)
    return FpmTarget(name=uri, path=path, query=_query(query), socket=socket)


def _query(given: str) -> str:
    kept = (part for part in given.split("&") if part.partition("=")[0] not in _FORMS)
    return "&".join((QUERY, *filter(None, kept)))


def _without_credentials(uri: str, parts: SplitResult) -> str:
    if parts.username is None:
        return uri
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _unreadable(uri: str) -> StartError:
    # What stands before the last "@" may be a password.
    shown = re.sub(r".*@", "…@", uri, flags=re.DOTALL)
    return StartError(f"cannot read --fpm.scrape-uri {shown!r}: {EXPECTED}")
