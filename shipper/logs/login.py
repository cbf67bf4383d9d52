"""Where the server is and what lets us in: the address, the headers, TLS."""

from __future__ import annotations

import base64
from typing import Any

from yarl import URL

from .errors import LogsError, UsageError
from .flags import Connection
from .query import CATEGORIZE, FLAGS_HEADER


def parse_address(text: str) -> URL:
    """Return the URL of ``localhost:3100`` or ``https://host/path``.

    Raises:
        UsageError: it is none of http.
    """
    try:
        url = URL(text if "://" in text else f"http://{text}")
        usable = url.scheme in {"http", "https"} and bool(url.host) and url.port
    except ValueError:
        usable = None
    if not usable:
        raise UsageError(
            "--addr is not the address of a server", "write http://localhost:3100"
        )
    return url.with_query(None).with_fragment(None)


def headers(given: Connection, base: URL) -> dict[str, str]:
    """Return the headers of every request; a login in *base* counts, too.

    Raises:
        LogsError: the token's file cannot be read, or a header cannot be sent.
    """
    found = {FLAGS_HEADER: CATEGORIZE, "User-Agent": "shipper-logs"}
    token = given.bearer_token or _token(given.bearer_token_file)
    username = given.username or base.user or ""
    password = given.password or base.password or ""
    if token:
        found["Authorization"] = f"Bearer {token}"
    elif username or password:
        login = base64.b64encode(f"{username}:{password}".encode())
        found["Authorization"] = f"Basic {login.decode()}"
    if given.org_id:
        found["X-Scope-OrgID"] = given.org_id
    if any("\r" in value or "\n" in value for value in found.values()):
        raise UsageError("a login or a tenant cannot have a line break in it")
    return found


def _token(path: str) -> str:
    if not path:
        return ""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().strip()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise LogsError(f"--bearer-token-file {path}: {reason}") from None


def tls(given: Connection) -> Any:
    """Return what aiohttp wants: a context, or True for the usual checks.

    Raises:
        LogsError: a certificate or a key cannot be used.
    """
    if not (given.tls_skip_verify or given.ca_cert or given.cert):
        return True
    # Only here: they bring the whole config with them.
    from exporters.toolkit.errors import StartError  # noqa: PLC0415
    from shipper.config.tls import TlsConfig  # noqa: PLC0415
    from shipper.tls import tls_context  # noqa: PLC0415

    try:
        return tls_context(
            TlsConfig(
                ca_file=given.ca_cert,
                cert_file=given.cert,
                key_file=given.key,
                insecure_skip_verify=given.tls_skip_verify,
            )
        )
    except StartError as error:
        raise LogsError(str(error)) from None
