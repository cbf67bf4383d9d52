"""The names under which a value may stand in a line, and where it does.

A text format has nginx's variables. In JSON formats the keys are free, but most people
choose among the same few.
nginx source: src/http/ngx_http_variables.c, ngx_http_upstream.c, ngx_http_log_module.c.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias, TypeVar


K = TypeVar("K")

# nginx's variable comes first; the first name that a line has counts.
_NAMES: Final[tuple[tuple[str, ...], ...]] = (
    ("request_method", "method", "http_method", "verb"),
    ("request_uri", "uri", "url", "path"),
    ("status", "status_code", "response_code", "response_status"),
    ("host", "http_host", "server_name", "vhost"),
    ("body_bytes_sent", "bytes_sent", "bytes", "size"),
    ("request_length", "bytes_received"),
    ("request_time", "duration", "response_time", "responsetime", "latency"),
    ("upstream_response_time", "upstream_time", "upstreamtime"),
)
_OF_VARIABLE: Final = {names[0]: names for names in _NAMES}


# The values of one line by their place, a name or a number: text, or what JSON has
# beside text and numbers.
Record: TypeAlias = Any


def names_of(variable: str) -> tuple[str, ...]:
    """Return *variable* and the other names under which its value may stand."""
    return _OF_VARIABLE.get(variable, (variable,))


def place_of(names: tuple[str, ...], places: Mapping[str, K]) -> K | None:
    """Return the place of the first of *names* that has one in *places*."""
    return next((places[name] for name in names if name in places), None)


def text_of(value: object) -> str | None:
    """Return *value* as a label shows it, None for an object, an array or null."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else None
