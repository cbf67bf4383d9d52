"""What ``--probe.allow`` lets in: text in, values out.

A pattern is a URI in which ``*`` is any text within one label of the host, in the
port, within one part of the path or in the query; a network; or a unix socket.
Left out, the path is any; so is, without a scheme, the port.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv6Network, ip_network

from exporters.nginx.probe.addresses import Address, Network, is_special
from exporters.nginx.probe.globs import matches, matches_parts
from exporters.nginx.probe.hosts import read_host
from exporters.nginx.probe.target import (
    DEFAULTS,
    UNIX,
    Asked,
    is_plain,
    is_socket,
    split_socket,
)
from exporters.toolkit.errors import StartError


EXPECTED = (
    "expected http://host[:port][/path] with * within a label, the port or a part of "
    "the path, a network as 10.0.0.0/8 or http://[10.0.0.0/8]:8080/path, or "
    "unix:/socket[:/path]"
)

_SEPARATOR = re.compile(r"[,\s]+")
_URI = re.compile(
    r"(?:([a-z]+)://(?:([^/?#@\[\]\\%*]*(?::[^/?#@\[\]\\]*)?)@)?)?"
    r"(\[[^\[\]]+\]|[^\[\]:/?#@\\%]+)"
    r"(?::([0-9*]{1,5}))?"
    r"([/?].*)?",
    re.IGNORECASE,
)
# "http://10.0.0.0/8" would be one address and the path "/8".
_PREFIX = re.compile(r"/[0-9]{1,3}(?:[:/].*)?")
# What is no port may be the beginning of a password that has a comma in it.
_BEGUN = re.compile(r"(//[^/:@\[]*:)(?![0-9*]+(?:[/?]|$)).*", re.DOTALL)
_IPV4_GLOB = re.compile(r"(?:[0-9]+\.){1,3}\*(?:\.\*)*")


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern.

    *text* has no credentials. Of *name* and *network* one is set, or for a socket
    neither and *name* is its path. None for *scheme*, *port* or *path*: any.
    """

    text: str
    scheme: str | None = None
    name: str | None = None
    network: Network | None = None
    port: str | None = None
    path: str | None = None
    credentials: str = field(default="", repr=False)

    def may_take(self, asked: Asked) -> bool:
        """Return whether *asked* is let in, its addresses apart (`takes`)."""
        if (asked.scheme == UNIX) is not (self.scheme == UNIX):
            return False
        return (
            self.scheme in {None, asked.scheme}
            and (self.port is None or matches(self.port, str(asked.port)))
            and (self.path is None or _matches_path(self.path, asked.path))
            and self._may_take_host(asked)
        )

    def _may_take_host(self, asked: Asked) -> bool:
        if self.scheme == UNIX:
            return matches_parts(self.name or "", asked.host, "/")
        if self.network is not None:
            return asked.address is None or asked.address in self.network
        if self.name is None or asked.address is not None:
            return False
        return matches_parts(self.name, asked.name, ".")

    def takes(self, address: Address) -> bool:
        """Return whether a host that this may take may be at *address*.

        Who gives a ``*`` says nothing of the machine this runs on.
        """
        if self.network is not None:
            return address in self.network
        return "*" not in (self.name or "") or not is_special(address)


def _matches_path(pattern: str, path: str) -> bool:
    glob, _, query_glob = pattern.partition("?")
    plain, _, query = path.partition("?")
    return matches_parts(glob, plain, "/") and matches(query_glob, query)


def parse_patterns(values: Sequence[str]) -> tuple[Pattern, ...]:
    """Return the patterns in *values*, each of which may be a list.

    Raises StartError, which shows no credentials, for one that cannot be read.
    """
    texts = [text for value in values for text in _SEPARATOR.split(value) if text]
    return tuple(dict.fromkeys(map(parse_pattern, texts)))


def parse_pattern(text: str) -> Pattern:
    """Return the pattern *text*; raise StartError if it is none."""
    try:
        if text.startswith(f"{UNIX}:"):
            return _socket(text)
        network = _network(text)
        if network is not None:
            return Pattern(text, network=network)
        return _uri(text)
    except ValueError as error:
        # Everything up to the last "@" may be a password.
        shown = _BEGUN.sub(r"\1...", re.sub(r".*@", "...@", text, flags=re.DOTALL))
        raise StartError(f"cannot read --probe.allow {shown!a}: {EXPECTED}") from error


def _uri(text: str) -> Pattern:
    match = _URI.fullmatch(text)
    if match is None:
        raise ValueError(text)
    scheme, credentials, host, port, path = match.groups()
    if scheme is not None:
        scheme = scheme.lower()
        if scheme not in DEFAULTS:
            raise ValueError(text)
        port = port or str(DEFAULTS[scheme][0])
    if credentials is not None:
        text = text.replace(f"{credentials}@", "", 1)
        if scheme not in {"http", "https"}:
            raise ValueError(text)
    name, network = _host(host)
    if network is not None and _PREFIX.fullmatch(path or ""):
        raise ValueError(text)
    return Pattern(text, scheme, name, network, port, _path(path), credentials or "")


def _path(text: str | None) -> str | None:
    if text is None:
        return None
    path = text if text.startswith("/") else f"/{text}"
    if not is_plain(path):
        raise ValueError(text)
    return path


def _host(text: str) -> tuple[str | None, Network | None]:
    network = _network(text.removeprefix("[").removesuffix("]"))
    if network is not None:
        return None, network
    if _IPV4_GLOB.fullmatch(text):
        return None, _network_of_glob(text)
    # Each "*" stands for text that a label may have, so "x" tells whether it is one.
    if "*" in text and text.isascii():
        read_host(text.replace("*", "x"))
        return text.lower().removesuffix("."), None
    return read_host(text).name, None


def _network_of_glob(text: str) -> Network:
    """Return the network of ``10.1.*`` or ``10.1.*.*``."""
    known = [part for part in text.split(".") if part != "*"]
    numbers = ".".join([*known, "0", "0", "0"][:4])
    return ip_network(f"{numbers}/{8 * len(known)}")


def _network(text: str) -> Network | None:
    """Return the network or the address that *text* is, None if it is neither.

    Raises ValueError for a network with bits set behind its prefix: which of the two
    was meant?
    """
    try:
        network = ip_network(text)
    except ValueError:
        if re.fullmatch(r"[0-9a-fA-F.:]+/[0-9.]+", text):
            raise
        return None
    mapped = isinstance(network, IPv6Network) and network[0].ipv4_mapped is not None
    if mapped or "%" in text:
        raise ValueError(text)
    return network


def _socket(text: str) -> Pattern:
    socket, path = split_socket(text)
    if not is_socket(socket):
        raise ValueError(text)
    return Pattern(text, UNIX, name=socket, path=_path(path or None))
