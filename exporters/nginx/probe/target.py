"""Read the parameter ``target``: text in, values out.

What is checked must be what is asked, so a target is read strictly and written anew,
and is refused where the client's reader would ask for anything else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from exporters.nginx.http.url import normal_path, read_url
from exporters.nginx.probe.addresses import Address
from exporters.nginx.probe.errors import UnreadableTarget
from exporters.nginx.probe.hosts import read_host


UNIX = "unix"
# The port and the path of a target that names none. Over tcp php-fpm is asked.
DEFAULTS = {"http": (80, "/"), "https": (443, "/"), "tcp": (9000, "/status")}

MAX_LENGTH = 2048
_SHOWN = 200

_URI = re.compile(
    r"(?:([a-z][a-z0-9+.-]*)://)?"
    r"(\[[0-9a-f:.]+\]|[^\x00-\x20\[\]:/?#@\\%\x7f]+)"
    r"(?::([0-9]{1,5}))?"
    r"((?:[/?].*)?)",
    re.IGNORECASE | re.DOTALL,
)
_CREDENTIALS = re.compile(r"(?:[^/?#]*://)?[^/?#]*@")
# No blanks, control characters or backslashes; a fragment would not be sent.
_PATH = re.compile(r"[!$-;=?-\[\]_a-z~]*", re.IGNORECASE | re.ASCII)
# A server may take these for the character they stand for: "..%2f" is "../".
_HIDDEN = re.compile(r"%(?:2[ef5]|5c|[01]|7f)", re.IGNORECASE)
_DOTS = frozenset({".", ".."})


@dataclass(frozen=True, slots=True)
class Asked:
    """What a probe asks for: *path*, with its query, at *host* or over a socket.

    *text* is all of it as a URI. *host* is the socket's path where *scheme* is
    ``unix``; *port* is 0 then. *address* is that of a host given by its address.
    """

    text: str
    scheme: str
    host: str
    port: int
    path: str
    address: Address | None = None

    @property
    def name(self) -> str:
        """The host without the dot that makes a name absolute."""
        return self.host.removesuffix(".")


def read_target(text: str, default_scheme: str = "http") -> Asked:
    """Return what *text* names; raise UnreadableTarget where that is not clear.

    A text without a scheme is taken for one of *default_scheme*.
    """
    if len(text) > MAX_LENGTH:
        raise UnreadableTarget(f"Target is longer than {MAX_LENGTH} characters")
    if _CREDENTIALS.match(text):
        raise UnreadableTarget(
            "Target has credentials, which Prometheus would show and store: give "
            "them to the exporter, --probe.allow=http://user:password@host/path"
        )
    try:
        if text.startswith(f"{UNIX}:"):
            return _read_socket(text)
        return _read_server(text, default_scheme)
    except ValueError as error:
        raise _unreadable(text) from error


def _read_server(text: str, default_scheme: str) -> Asked:
    match = _URI.fullmatch(text)
    if match is None:
        raise ValueError(text)
    scheme, host = (match[1] or default_scheme).lower(), read_host(match[2])
    if scheme not in DEFAULTS:
        raise ValueError(text)
    default_port, default_path = DEFAULTS[scheme]
    port = int(match[3] or default_port)
    path = match[4] or default_path
    path = path if path.startswith("/") else f"/{path}"
    where = f"{host.in_uri}:{port}" if match[3] else host.in_uri
    asked_host = read_url(f"http://{where}/").host
    if not 0 < port < 65536 or not is_plain(path) or asked_host != host.text:
        raise ValueError(text)
    uri = f"{scheme}://{where}{path}"
    return Asked(uri, scheme, host.text, port, path, host.address)


def _read_socket(text: str) -> Asked:
    socket, path = split_socket(text)
    if not path or not is_socket(socket) or not is_plain(path):
        raise ValueError(text)
    return Asked(f"{UNIX}:{socket}:{path}", UNIX, socket, 0, path)


def split_socket(text: str) -> tuple[str, str]:
    """Return the socket and the path of ``unix:/socket:/path``.

    ``unix:///socket;/path``, as php-fpm's exporters have it, is the same. Raises
    ValueError where it can be read in several ways.
    """
    socket, *paths = re.split("[:;](?=/)", text.removeprefix(f"{UNIX}:"))
    if len(paths) > 1 or ";" in socket:
        raise ValueError(text)
    return socket.removeprefix("//"), "".join(paths)


def is_plain(path: str) -> bool:
    """Return whether every server is asked for *path* as it stands, and reads it so.

    *path* begins with a slash and may have a query.
    """
    segments = path.partition("?")[0].split("/")
    names = {segment.partition(";")[0] for segment in segments}  # "..;" of Tomcat
    return (
        _PATH.fullmatch(path) is not None
        and _HIDDEN.search(path) is None
        and _DOTS.isdisjoint(names)
        and normal_path(path) == path
    )


def is_socket(path: str) -> bool:
    """Return whether *path* is one of a socket, from the root and without detours."""
    return path.startswith("/") and "?" not in path and is_plain(path)


def _unreadable(text: str) -> UnreadableTarget:
    shown = ascii(text[:_SHOWN]) + ("..." if len(text) > _SHOWN else "")
    return UnreadableTarget(
        f"Target {shown} cannot be read: expected http://host[:port]/path, https://…, "
        "tcp://… or unix:/socket:/path, in its plain form"
    )
