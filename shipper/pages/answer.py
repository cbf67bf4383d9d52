"""Pages and values as HTTP answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import hdrs, web

from .document import HEADERS
from .plain import wants_json


NO_SNIFF: Final = {"X-Content-Type-Options": "nosniff"}
_JSON_HEADERS: Final = {**NO_SNIFF, hdrs.CACHE_CONTROL: "no-store"}


def json_wanted(request: web.Request) -> bool:
    """Return whether *request* is one for JSON."""
    return wants_json(request.headers.get(hdrs.ACCEPT, ""), request.query)


def html_answer(text: str) -> web.Response:
    """Return the page *text*, which may run nothing but what is its own."""
    return _answer(text, "text/html", HEADERS)


def json_answer(value: Any, status: int = 200) -> web.Response:
    """Return *value* as JSON for programs and people."""
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    return _answer(text, "application/json", _JSON_HEADERS, status)


def _answer(
    text: str, kind: str, headers: Mapping[str, str], status: int = 200
) -> web.Response:
    return web.Response(
        # The name of a file may be no UTF-8; it is shown as it is escaped.
        body=text.encode("utf-8", "backslashreplace"),
        status=status,
        content_type=kind,
        charset="utf-8",
        headers={**headers, hdrs.VARY: hdrs.ACCEPT},
    )
