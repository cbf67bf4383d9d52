"""Read URLs, as Go's net/url does where a request is made of them: text in, values out.

What is asked for is what was written. Only what no request line can hold is encoded.
"""

from __future__ import annotations

import base64
import re
import socket
from typing import Final, NamedTuple
from urllib.parse import SplitResult, quote, unquote, urlsplit


PORTS: Final = {"http": 80, "https": 443}

# RFC 3986 appendix A: what may stand in a path and a query as it is.
_SENDABLE: Final = "!$%&'()*+,/:;=?@[]~"
_HOST: Final = re.compile(r"[A-Za-z0-9._~\-!$&'()*+,;=%]+")
_CONTROL: Final = re.compile("[\x00-\x1f\x7f]")


class Url(NamedTuple):
    """A server and what to ask it for.

    *host* is in lower case and as DNS has it, an IPv6 address without brackets.
    *target* begins with a slash and has the query, all of it as it is sent.
    *authorization* is the header for the login that stood in it, "" without one; it
    is no part of its text.
    """

    scheme: str
    host: str
    port: int
    target: str
    authorization: str = ""

    def __repr__(self) -> str:
        return f"Url({str(self)!r})"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"

    @property
    def path(self) -> str:
        """Return the path without the query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """Return the query with its mark, "" without one."""
        return self.target[len(self.path) :]

    @property
    def name(self) -> str:
        """Return *host* as servers know themselves: no zone, no dot at its end."""
        return self.host.partition("%")[0].removesuffix(".")

    @property
    def authority(self) -> str:
        """Return host and port as the header Host has them."""
        if self.port == PORTS[self.scheme]:
            return bracketed(self.name)
        return f"{bracketed(self.name)}:{self.port}"

    @property
    def place(self) -> str:
        """Return host and port, the port always: what CONNECT asks for."""
        return f"{bracketed(self.name)}:{self.port}"


def bracketed(host: str) -> str:
    """Return *host* as it stands in front of a port."""
    return f"[{host}]" if ":" in host else host


def read_url(text: str) -> Url:
    """Return the URL that *text* is, less its fragment.

    Raises ValueError, without a text for the user, for what is not http or https and
    for what names no host.
    """
    if _CONTROL.search(text):
        raise ValueError("control characters")
    parts = urlsplit(text)
    port = parts.port
    if parts.scheme not in PORTS or not parts.hostname or port == 0:
        raise ValueError("no address of a server")
    return Url(
        parts.scheme,
        _host(parts),
        port or PORTS[parts.scheme],
        _target(_rooted(parts.path), parts.query),
        _authorization(parts),
    )


def joined(base: Url, reference: str) -> Url:
    """Return what *reference* means to who read it at *base* (RFC 3986 §5.2.2).

    Raises ValueError where that is no URL.
    """
    parts = urlsplit(reference)
    if parts.scheme or parts.netloc:
        url = read_url(reference if parts.scheme else f"{base.scheme}:{reference}")
        return url._replace(target=without_dots(url.path) + url.query)
    if _CONTROL.search(reference):
        raise ValueError("control characters")
    path = parts.path
    if not path.startswith("/"):
        folder, _, name = base.path.rpartition("/")
        path = f"{folder}/{path or name}"
    return base._replace(
        target=_target(without_dots(path), parts.query), authorization=""
    )


def without_dots(path: str) -> str:
    """Return *path* without ``.`` and ``..`` (RFC 3986 §5.2.4)."""
    segments: list[str] = []
    for segment in (given := path.split("/")[1:]):
        if segment == "..":
            del segments[-1:]
        elif segment != ".":
            segments.append(segment)
    if given[-1] in {".", ".."}:
        segments.append("")
    return f"/{'/'.join(segments)}"


def to_ascii(name: str) -> str:
    """Return *name* with its labels as DNS knows them: ``xn--…`` (UTS 46).

    Raises ValueError for what cannot be one.
    """
    if name.isascii():
        return name
    import idna  # noqa: PLC0415 - 1 MiB of tables that hardly anybody needs

    return idna.encode(name, uts46=True).decode()


def is_address(host: str) -> bool:
    """Return whether *host* is an IP address; an IPv6 one may have a zone."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.inet_pton(family, host.partition("%")[0])
    except (OSError, ValueError):
        return False
    return True


def _rooted(path: str) -> str:
    return path if path.startswith("/") else f"/{path}"


def _target(path: str, query: str) -> str:
    target = quote(path, safe=_SENDABLE)
    return f"{target}?{quote(query, safe=_SENDABLE)}" if query else target


def _authorization(parts: SplitResult) -> str:
    if not parts.username and not parts.password:
        return ""
    login = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    return "Basic " + base64.b64encode(login.encode()).decode("ascii")


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if "[" in parts.netloc:
        return _ipv6(host)
    host = to_ascii(host)
    if _HOST.fullmatch(host) is None:
        raise ValueError("no name of a host")
    return host


def _ipv6(text: str) -> str:
    address, percent, zone = text.partition("%")
    try:
        packed = socket.inet_pton(socket.AF_INET6, address)
    except OSError as error:
        raise ValueError("no address of IPv6") from error
    # In a URI the sign in front of a zone is escaped (RFC 6874).
    zone = zone.removeprefix("25") if percent else ""
    plain = socket.inet_ntop(socket.AF_INET6, packed)
    return f"{plain}%{zone}" if zone else plain
