"""Pages and values as HTTP answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from exporters.toolkit.web import Request, Response

from .document import HEADERS
from .plain import wants_json


_JSON_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def json_wanted(request: Request) -> bool:
    """Return whether *request* is one for JSON."""
    query = {name: values[0] for name, values in request.query.items()}
    return wants_json(request.headers.get("accept"), query)


def html_answer(text: str) -> Response:
    """Return the page *text*, which may run nothing but what is its own."""
    return _answer(text, "text/html", HEADERS)


def json_answer(value: Any, status: int = 200) -> Response:
    """Return *value* as JSON for programs and people."""
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    return _answer(text, "application/json", _JSON_HEADERS, status)


def _answer(
    text: str, kind: str, headers: Mapping[str, str], status: int = 200
) -> Response:
    headers = {
        "Content-Type": f"{kind}; charset=utf-8",
        **headers,
        "Vary": "Accept",
    }
    # The name of a file may be no UTF-8; it is shown as it is escaped.
    return Response(status, headers, text.encode("utf-8", "backslashreplace"))
