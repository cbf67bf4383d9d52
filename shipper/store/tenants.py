"""Whose data a request is about (dskit tenant and middleware/http_auth.go)."""

from __future__ import annotations

import re
from typing import Final

from aiohttp import web

from shipper.wire.errors import Answer


FAKE: Final = "fake"
"""The tenant of a Loki with auth_enabled: false."""

_UNSUPPORTED: Final = re.compile(r"[^A-Za-z0-9!\-_.*'()]")
_LONGEST: Final = 150


def tenant_of(request: web.Request, *, auth_enabled: bool) -> str:
    """Return the tenant of *request*; the header is ignored without *auth_enabled*.

    Raises Answer: 401 without the header, 400 for a name that cannot be one.
    """
    if not auth_enabled:
        return FAKE
    name = request.headers.get("X-Scope-OrgID", "")
    if not name:
        raise Answer(401, "no org id")
    if bad := _UNSUPPORTED.search(name):
        raise Answer(
            400, f"tenant ID '{name}' contains unsupported character '{bad.group()}'"
        )
    if len(name) > _LONGEST:
        raise Answer(400, f"tenant ID is too long: max {_LONGEST} characters")
    if name in {".", ".."}:
        raise Answer(400, "tenant ID is '.' or '..'")
    return name
