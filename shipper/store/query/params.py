"""Query parameters as Loki reads them (pkg/loghttp/params.go and query.go, 3.4).

Pure: a form and the time in, values out; every error is a ValueError in Loki's words.
"""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple

from shipper.logql.duration import parse_prometheus_duration
from shipper.wire.model import MAX_NS, MIN_NS, SECOND_NS


DEFAULT_LIMIT: Final = 100
DEFAULT_SINCE_NS: Final = 3600 * SECOND_NS
MAX_POINTS: Final = 11_000

_END_BEFORE_START: Final = "end timestamp must not be before or equal to start time"
_BAD_STEP: Final = (
    "zero or negative query resolution step widths are not accepted. "
    "Try a positive integer"
)
_STEP_TOO_SMALL: Final = (
    "exceeded maximum resolution of 11,000 points per time series. "
    "Try increasing the value of the step parameter"
)
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,19}")
_RFC3339: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(Z|([+-])(\d\d):(\d\d))"
)

Form = Mapping[str, str]


class Bounds(NamedTuple):
    """A time range in nanoseconds since 1970."""

    start: int
    end: int


class RangeParams(NamedTuple):
    """The parameters of a range query; times and durations in nanoseconds."""

    query: str
    bounds: Bounds
    step: int
    interval: int
    limit: int
    forward: bool


class InstantParams(NamedTuple):
    """The parameters of an instant query."""

    query: str
    time: int
    limit: int
    forward: bool


def range_params(form: Form, now: int) -> RangeParams:
    """Return the range query that *form* asks for at the time *now*."""
    bounds = parse_bounds(form, now)
    if bounds.end < bounds.start:
        raise ValueError(_END_BEFORE_START)
    limit = parse_limit(form)
    forward = parse_forward(form)
    step = parse_step(form, bounds)
    if step <= 0:
        raise ValueError(_BAD_STEP)
    if (bounds.end - bounds.start) // step > MAX_POINTS:
        raise ValueError(_STEP_TOO_SMALL)
    interval = parse_seconds_or_duration(form.get("interval") or "0")
    if interval < 0:
        raise ValueError("interval must be >= 0")
    return RangeParams(form.get("query", ""), bounds, step, interval, limit, forward)


def instant_params(form: Form, now: int) -> InstantParams:
    """Return the instant query that *form* asks for at the time *now*."""
    limit = parse_limit(form)
    time = parse_timestamp(form.get("time", ""), now)
    return InstantParams(form.get("query", ""), time, limit, parse_forward(form))


def parse_bounds(form: Form, now: int) -> Bounds:
    """Return start and end; without them the hour, or *since*, before the end."""
    since = DEFAULT_SINCE_NS
    if text := form.get("since"):
        since = _named("since", parse_prometheus_duration, text)
    end = _named("end", lambda t: parse_timestamp(t, now), form.get("end", ""))
    default = min(end, now) - since
    start = _named(
        "start", lambda t: parse_timestamp(t, default), form.get("start", "")
    )
    return Bounds(start, end)


def parse_limit(form: Form) -> int:
    """Return the limit of *form*, 100 without one."""
    text = form.get("limit") or str(DEFAULT_LIMIT)
    if _INTEGER.fullmatch(text) is None:
        raise ValueError(f'strconv.Atoi: parsing "{text}": invalid syntax')
    if int(text) <= 0:
        raise ValueError("limit must be a positive value")
    return int(text)


def parse_forward(form: Form) -> bool:
    """Return whether *form* asks for the oldest lines first; backward is default."""
    text = form.get("direction") or "backward"
    if text.lower() not in {"forward", "backward"}:
        raise ValueError(f"invalid direction '{text}'")
    return text.lower() == "forward"


def parse_step(form: Form, bounds: Bounds) -> int:
    """Return the step of *form*; without one a 250th of the range, at least 1 s."""
    if text := form.get("step"):
        return parse_seconds_or_duration(text)
    return max((bounds.end - bounds.start) // (250 * SECOND_NS), 1) * SECOND_NS


def parse_timestamp(text: str, default: int) -> int:
    """Return *text* in nanoseconds: seconds with a point, ns, seconds or RFC 3339."""
    if not text:
        return default
    if "." in text and (seconds := _float(text)) is not None:
        fraction, whole = math.modf(seconds)
        return int(whole) * SECOND_NS + round(fraction * 1000) * 1_000_000
    if _INTEGER.fullmatch(text):
        number = int(text)
        number = number * SECOND_NS if len(text) <= 10 else number
        return max(MIN_NS, min(MAX_NS, number))
    if match := _RFC3339.fullmatch(text):
        with contextlib.suppress(ValueError):  # a 13th month
            return _rfc3339(match)
    raise ValueError(f'strconv.ParseInt: parsing "{text}": invalid syntax')


def parse_seconds_or_duration(text: str) -> int:
    """Return *text*, seconds or a Prometheus duration, in nanoseconds."""
    seconds = _float(text)
    if seconds is not None:
        if abs(seconds * SECOND_NS) > MAX_NS:
            raise ValueError(
                f'cannot parse "{text}" to a valid duration. It overflows int64'
            )
        return int(seconds * SECOND_NS)
    try:
        return parse_prometheus_duration(text)
    except ValueError:
        raise ValueError(f'cannot parse "{text}" to a valid duration') from None


def _named(name: str, parse: Callable[[str], int], text: str) -> int:
    try:
        return parse(text)
    except ValueError as error:
        raise ValueError(f"could not parse '{name}' parameter: {error}") from None


def _float(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and "_" not in text else None


def _rfc3339(match: re.Match[str]) -> int:
    year, month, day, hour, minute, second = (int(match[n]) for n in range(1, 7))
    date = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    fraction = int((match.group(7) or "0").ljust(9, "0")[:9])
    zone = 0
    if match.group(9):
        zone = int(match.group(10)) * 3600 + int(match.group(11)) * 60
        zone = -zone if match.group(9) == "-" else zone
    return (int(date.timestamp()) - zone) * SECOND_NS + fraction
