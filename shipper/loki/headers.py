"""The headers of a push: the protocol's, the user's, and who we are."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from shipper.config.http_headers import is_header_value
from shipper.http.fields import Fields


USER_AGENT: Final = "promtail/3.4.6"
"""Loki's and gateways' rules may look for it: the version whose behaviour is ours."""

CONTENT: Final[Mapping[str, Mapping[str, str]]] = {
    "protobuf": {"Content-Type": "application/x-protobuf"},
    "json": {"Content-Type": "application/json", "Content-Encoding": "gzip"},
}

# net/http writes these itself, whatever stands in Request.Header.
_WRITTEN_BY_GO: Final = frozenset(
    {"host", "content-length", "transfer-encoding", "trailer"}
)


class HeaderError(Exception):
    """A header cannot be sent as it is; one line that does not show its value."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who we are. A ``*_file`` is read before each push, as promtail does."""

    username: str = ""
    username_file: str = ""
    password: str = field(default="", repr=False)
    password_file: str = ""
    scheme: str = ""  # "Bearer" or the type of `authorization`; empty: basic or none
    token: str = field(default="", repr=False)
    token_file: str = ""

    @property
    def reads_files(self) -> bool:
        """Say whether `authorize` reads files."""
        return bool(self.username_file or self.password_file or self.token_file)


NOBODY: Final = Credentials()


@dataclass(frozen=True, slots=True)
class AddedHeader:
    """A header of ``http_headers``: sent once for each value and each file."""

    name: str
    values: tuple[str, ...] = field(default=(), repr=False)
    files: tuple[str, ...] = ()

    def read(self) -> list[str]:
        """Return what to send; OSError when a file cannot be read."""
        return [*self.values, *(read_secret("", file) for file in self.files)]


def build_headers(
    tenant: str,
    extra: Mapping[str, str],
    *,
    encoding: str = "protobuf",
    added: Sequence[AddedHeader] = (),
    credentials: Credentials = NOBODY,
) -> Fields:
    """Return the headers of a push, in the order of precedence of Go's promtail.

    *extra* never replaces those of the protocol, but an X-Scope-OrgID there goes out
    when there is no *tenant* (promtail §5), and an Authorization instead of
    *credentials*. *added* come beside everything else.

    Raises:
        OSError: a file cannot be read.
        HeaderError: what is in a file, or *tenant*, is no header value.
    """
    headers = Fields(CONTENT[encoding])
    headers["User-Agent"] = USER_AGENT
    if tenant:
        headers["X-Scope-OrgID"] = tenant
    for name, value in extra.items():
        if name not in headers and name.lower() not in _WRITTEN_BY_GO:
            headers[name] = value
    for header in added:
        for value in header.read():
            headers.add(header.name, value)
    if "Authorization" not in headers and (value := authorize(credentials)):
        headers["Authorization"] = value
    for name, value in headers.items():
        if not is_header_value(value):
            raise HeaderError(f"header {name}: its value must be one line of text")
    return headers


def authorize(credentials: Credentials) -> str:
    """Return the Authorization header for *credentials*, reading their files.

    Raises:
        OSError: a file cannot be read.
    """
    if credentials.scheme:
        token = read_secret(credentials.token, credentials.token_file)
        return f"{credentials.scheme} {token}"
    username = read_secret(credentials.username, credentials.username_file)
    password = read_secret(credentials.password, credentials.password_file)
    if not username and not password:
        return ""
    pair = f"{username}:{password}".encode("utf-8", "surrogateescape")
    return "Basic " + base64.b64encode(pair).decode("ascii")


def read_secret(value: str, path: str) -> str:
    """Return *value*, or what is in the file *path* when there is one."""
    if not path:
        return value
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read().strip()
