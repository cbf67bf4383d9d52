"""Turn ``--nginx.scrape-uri`` values into targets: text in, values out."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote_to_bytes, urlsplit

from exporters.nginx.http.url import normal_path, read_url
from exporters.toolkit.errors import StartError


UNIX = "unix:"
EXPECTED = "expected http://host[:port]/path, https://… or unix:/socket:/path"

# A comma may stand inside a URI; it separates two only where a new URI begins.
_SEPARATOR = re.compile(r"\s*[,\n]\s*(?=https?://|unix:)", re.IGNORECASE)
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f]")
_HOST_AND_PATH = re.compile(r"[A-Za-z0-9._-]+/")


@dataclass(frozen=True, slots=True)
class Target:
    """One nginx to read.

    *name* is the URI as it was given, less its credentials: the ``addr`` label and
    every log line use it. *url* is what is asked for, over the unix *socket* if
    there is one. *authorization* is the header the credentials became; it is kept
    out of ``repr`` so that no traceback shows it.
    """

    name: str
    url: str
    socket: str | None = None
    authorization: str | None = field(default=None, repr=False)


def parse_targets(values: Iterable[str]) -> tuple[Target, ...]:
    """Return the targets that *values* name, each once, in the order given.

    A value may hold several URIs separated by commas or newlines. Two are the same if
    they differ only as RFC 3986 §6.2.2 and §6.2.3 allow (HTTP://Host:80 is
    http://host/): counted twice, every sum over them would be too high. Raises
    StartError for a URI that cannot be read, for the same URI with two sets of
    credentials (their series could not be told apart), and when there is none at all.
    """
    targets: dict[object, Target] = {}
    for uri in split_uris(values):
        target = parse_target(uri)
        same = targets.setdefault(_identity(target), target)
        if same.authorization != target.authorization:
            raise StartError(
                f"--nginx.scrape-uri {target.name} is given with two different "
                "sets of credentials, expected one"
            )
    if not targets:
        raise StartError("no scrape addresses provided: --nginx.scrape-uri is empty")
    return tuple(targets.values())


def _identity(target: Target) -> object:
    url = read_url(target.url)
    return target.socket, url.scheme, url.host, url.port, normal_path(url.path)


def split_uris(values: Iterable[str]) -> list[str]:
    """Return the URIs in *values*, each of which may be a list."""
    parts = (part for value in values for part in _SEPARATOR.split(value))
    return [uri for part in parts if (uri := part.strip().rstrip(",").rstrip())]


def parse_target(uri: str) -> Target:
    """Return the target that *uri* names; raise StartError if it names none."""
    if uri.startswith(UNIX):
        return _unix_target(uri)
    try:
        parts = urlsplit(uri)
        known = parts.scheme in {"http", "https"} and bool(parts.hostname)
        port = parts.port  # raises ValueError: "Port could not be cast to integer"
        bare = _without_credentials(uri, parts)
        read_url(bare)  # raises ValueError, too
    except ValueError as error:
        raise _unreadable(uri) from error
    if not known or port == 0 or _UNPRINTABLE.search(uri):
        raise _unreadable(uri)
    return Target(name=bare, url=bare, authorization=_authorization(parts))


def _unix_target(uri: str) -> Target:
    socket, request = _socket_and_request(uri.removeprefix(UNIX))
    if not socket or _UNPRINTABLE.search(uri):
        raise _unreadable(uri)
    # "unix" is the Host header upstream sends (exporter.go registerCollector).
    return Target(name=uri, url=f"http://unix{request}", socket=socket)


def _socket_and_request(text: str) -> tuple[str, str]:
    # Upstream splits at every colon, so a socket path can hold none; here the
    # request begins at the last ":/".
    socket, separator, path = text.rpartition(":/")
    if separator:
        return socket, f"/{path}"
    # As upstream: /socket:localhost/path sends the Host "unixlocalhost".
    socket, _, request = text.rpartition(":")
    if _HOST_AND_PATH.match(request):
        return socket, request
    return text, "/"


def _without_credentials(uri: str, parts: SplitResult) -> str:
    if parts.username is None:
        return uri
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _authorization(parts: SplitResult) -> str | None:
    if parts.username is None:
        return None
    user = unquote_to_bytes(parts.username)
    password = unquote_to_bytes(parts.password or "")
    token = binascii.b2a_base64(user + b":" + password, newline=False)
    return f"Basic {token.decode()}"


def _unreadable(uri: str) -> StartError:
    # Where the text cannot be taken apart, everything up to the last "@" may be a
    # password ("http://u:pa/ss@host" is not a valid URI but is a likely mistake).
    shown = re.sub(r".*@", "…@", uri, flags=re.DOTALL)
    return StartError(f"cannot read --nginx.scrape-uri {shown!r}: {EXPECTED}")
