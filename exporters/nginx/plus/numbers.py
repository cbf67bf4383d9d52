"""Read one number of a document as the field of upstream's struct takes it.

Upstream counterpart: the types in nginx-plus-go-client ``client/nginx.go``. Go reads
an integer only where there is neither a fraction nor an exponent, and ``null`` as 0.
"""

from __future__ import annotations

from collections.abc import Callable


# Return a JSON value as the number to export, or raise ValueError with what was
# expected.
Read = Callable[[object], float]

MAX_UINT64 = 2**64 - 1
MIN_INT64, MAX_INT64 = -(2**63), 2**63 - 1

# collector/nginx_plus.go upstreamServerStates; a state it does not know is 0.
STATES = {
    "up": 1.0,
    "draining": 2.0,
    "down": 3.0,
    "unavail": 4.0,
    "checking": 5.0,
    "unhealthy": 6.0,
}


def uint(value: object) -> float:
    """Return what a uint64 takes."""
    # Not isinstance: true and false are ints in Python.
    if type(value) is int and 0 <= value <= MAX_UINT64:
        return float(value)
    if value is None:
        return 0.0
    raise ValueError(f"an integer from 0 to {MAX_UINT64}")


def integer(value: object) -> float:
    """Return what an int64 takes."""
    if type(value) is int and MIN_INT64 <= value <= MAX_INT64:
        return float(value)
    if value is None:
        return 0.0
    raise ValueError(f"an integer from {MIN_INT64} to {MAX_INT64}")


def flag(value: object) -> float:
    """Return 1 for true and 0 for false."""
    if value is None or isinstance(value, bool):
        return float(bool(value))
    raise ValueError("true or false")


def state(value: object) -> float:
    """Return the number of the state of an upstream server."""
    if value is None or isinstance(value, str):
        return STATES.get(value or "", 0.0)
    raise ValueError("a string")
