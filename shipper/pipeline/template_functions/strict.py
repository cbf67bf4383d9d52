"""Arguments as Go would take them, where gotpl is more lenient or stumbles over nil."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Final


# Which arguments of a function are maps; nil is an empty one.
_MAPS: Final = {
    "get": (0, 1),
    "hasKey": (0, 1),
    "merge": (0, None),
    "mergeOverwrite": (0, None),
    "mustMerge": (0, None),
    "mustMergeOverwrite": (0, None),
    "omit": (0, 1),
    "pick": (0, 1),
    "pluck": (1, None),
    "unset": (0, 1),
    "urlJoin": (0, 1),
}
_TAKE_NIL: Final = (
    "append",
    "deepCopy",
    "dict",
    "has",
    "mustAppend",
    "mustDeepCopy",
    "mustHas",
    "mustPrepend",
    "mustPush",
    "mustToJson",
    "mustToPrettyJson",
    "mustToRawJson",
    "prepend",
    "push",
    "sortAlpha",
    "toJson",
    "toPrettyJson",
    "toRawJson",
)


def strict(sprig: Mapping[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    """Return *sprig* with its arguments checked; imports gotpl."""
    result = dict(sprig)
    for name in _TAKE_NIL:
        result[name] = _with(sprig[name], without_nothing)
    for name, (start, stop) in _MAPS.items():
        result[name] = _with(result[name], _maps(start, stop))
    return result


def is_nothing(value: Any) -> bool:
    """Say whether *value* is nil, missing or null."""
    from gotpl.runtime.values import INVALID, UNTYPED_NIL  # noqa: PLC0415

    return value is None or value is INVALID or value is UNTYPED_NIL


def without_nothing(values: tuple[Any, ...]) -> list[Any]:
    """Return *values* with None for what is missing."""
    return [None if is_nothing(value) else value for value in values]


def _maps(start: int, stop: int | None) -> Callable[[tuple[Any, ...]], list[Any]]:
    def check(values: tuple[Any, ...]) -> list[Any]:
        taken = list(values)
        taken[start:stop] = [_map(value) for value in values[start:stop]]
        return taken

    return check


def _map(value: Any) -> Any:
    if is_nothing(value):
        return {}
    if not isinstance(value, Mapping):
        raise TypeError("wrong type for value; expected map")
    return value


def _with(
    function: Callable[..., Any], adapt: Callable[[tuple[Any, ...]], list[Any]]
) -> Callable[..., Any]:
    @wraps(function)
    def call(*arguments: Any) -> Any:
        return function(*adapt(arguments))

    return call
