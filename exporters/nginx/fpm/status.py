"""Parse the status page of php-fpm: the bytes of ``?json&full`` in, numbers out.

php-fpm prints JSON with printf (php-src ``sapi/fpm/fpm/fpm_status.c``), and not
always valid JSON: what a visitor sent (address, user, path of the script) was not
escaped for many years, ``%.2f`` takes the decimal point of the locale and knows
``nan``, and a difference that is below zero is printed as an unsigned number. Nothing
here needs what a visitor sent, so it is cut out before the text is read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from exporters.nginx.fpm.errors import FpmError
from exporters.nginx.stub_status import excerpt


# A pool of more children is not to be found; each of them makes ten series.
MAX_CHILDREN = 10_000
MAX_NAME_CHARACTERS = 255
MAX_STATE_CHARACTERS = 64

# What a visitor sent stands between these two; before and after are numbers.
_VISITOR = b'"request method":"'
_BEHIND_VISITOR = (b'"last request cpu":', b'"last request memory":')

_START_TIME = re.compile(rb'"start time":[^,"]*,')  # strftime(3) "%s", not in POSIX
_DECIMAL_COMMA = re.compile(rb'("last request cpu":-?[0-9]+),(?=[0-9]+,)')
_NO_NUMBER = re.compile(rb'("last request cpu":)-?(?:nan|inf)', re.IGNORECASE)

_OVERFLOW = 1 << 63


@dataclass(frozen=True, slots=True)
class Child:
    """One process of a pool; None is a number that this php-fpm does not print."""

    state: str
    requests: float | None
    request_duration: float | None  # microseconds
    last_request_cpu: float | None  # per cent
    last_request_memory: float | None  # bytes


@dataclass(frozen=True, slots=True)
class PoolStatus:
    """One pool; None is a number that this php-fpm does not print."""

    name: str
    start_since: float | None  # seconds
    accepted_connections: float | None
    listen_queue: float | None
    max_listen_queue: float | None
    listen_queue_length: float | None
    idle_processes: float | None
    active_processes: float | None
    total_processes: float | None
    max_active_processes: float | None
    max_children_reached: float | None
    slow_requests: float | None
    memory_peak: float | None  # bytes, since PHP 8.4
    children: tuple[Child, ...]


_POOL = {
    "start_since": "start since",
    "accepted_connections": "accepted conn",
    "listen_queue": "listen queue",
    "max_listen_queue": "max listen queue",
    "listen_queue_length": "listen queue len",
    "idle_processes": "idle processes",
    "active_processes": "active processes",
    "total_processes": "total processes",
    "max_active_processes": "max active processes",
    "max_children_reached": "max children reached",
    "slow_requests": "slow requests",
    "memory_peak": "memory peak",
}
_CHILD = {
    "requests": "requests",
    "request_duration": "request duration",
    "last_request_cpu": "last request cpu",
    "last_request_memory": "last request memory",
}


def parse_status(body: bytes) -> PoolStatus:
    """Return the numbers in *body*.

    Raises FpmError, and nothing else, naming what stands there and what was expected.
    """
    page = _load(body)
    if not isinstance(page, dict) or not isinstance(page.get("pool"), str):
        raise _unexpected(body)
    children = page.get("processes", [])
    if not isinstance(children, list) or len(children) > MAX_CHILDREN:
        raise FpmError(f"processes: expected a list of at most {MAX_CHILDREN}")
    return PoolStatus(
        name=_text(page["pool"], MAX_NAME_CHARACTERS),
        children=tuple(_child(child) for child in children),
        **_numbers(page, _POOL),
    )


def _load(body: bytes) -> Any:
    text = _START_TIME.sub(b"", _without_visitors(body))
    text = _NO_NUMBER.sub(rb"\g<1>0", _DECIMAL_COMMA.sub(rb"\1.", text))
    try:
        return json.loads(text.decode("utf-8", "replace"), strict=False)
    except (ValueError, RecursionError) as error:
        raise _unexpected(body) from error


def _without_visitors(body: bytes) -> bytes:
    """Return *body* without what each child says about its request.

    The last end in a piece counts: an end that comes earlier is a visitor's. A piece
    without an end was cut off by a visitor who sent the beginning.
    """
    first, *pieces = body.split(_VISITOR)
    kept = [first]
    for piece in pieces:
        ends = (piece.rfind(key) for key in _BEHIND_VISITOR)
        end = next((end for end in ends if end >= 0), None)
        if end is not None:
            kept.append(piece[end:])
    return b"".join(kept)


def _child(process: object) -> Child:
    if not isinstance(process, dict) or not isinstance(process.get("state"), str):
        raise FpmError("processes: expected objects that have a state")
    state = _text(process["state"], MAX_STATE_CHARACTERS)
    return Child(state=state, **_numbers(process, _CHILD))


def _text(value: str, most: int) -> str:
    # "\ud800" alone is legal JSON and no text: it could not be written out.
    return value[:most].encode(errors="replace").decode()


def _numbers(
    found: Mapping[str, object], keys: Mapping[str, str]
) -> dict[str, float | None]:
    return {field: _number(found, key) for field, key in keys.items()}


def _number(found: Mapping[str, object], key: str) -> float | None:
    value = found.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FpmError(
            f"{key}: expected a number, got {excerpt(ascii(value).encode())}"
        )
    # Below zero, printed with %lu: 18446744073709551xxx (php bug 62382). The exporter
    # of hipages says 0 for a duration, and fails for the others.
    return value if 0 <= value < _OVERFLOW else 0


def _unexpected(body: bytes) -> FpmError:
    return FpmError(f"expected a status page in JSON, got {excerpt(body)}")
