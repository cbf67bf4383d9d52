"""Functions that make much of little, bounded: a line must not take the memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Final


MAX_WIDTH: Final = 1_000_000
"""Characters, or items of a list, that a function may make of a number."""

MAX_CHARACTERS: Final = 4 << 20
"""Characters of a text that a function takes, or that a rendering writes."""

_BY_NUMBER: Final = (
    "indent",
    "nindent",
    "randAlpha",
    "randAlphaNum",
    "randAscii",
    "randBytes",
    "randNumeric",
    "until",
)
_BY_STEPS: Final = ("seq", "untilStep")


def guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return *function* for arguments that are not too big, each text a plain str.

    So a text that is doubled in a loop, or by each line, comes to an end. And gotpl
    compares exact types here and there.
    """

    @wraps(function)
    def call(*arguments: Any) -> Any:
        for argument in arguments:
            if isinstance(argument, str):
                check(len(argument))
            elif isinstance(argument, list) and len(argument) > MAX_WIDTH:
                raise ValueError(f"a list of more than {MAX_WIDTH} items")
        return function(*(str(a) if isinstance(a, str) else a for a in arguments))

    return call


def check(characters: int) -> None:
    """Raise ValueError for a text of too many *characters*."""
    if characters > MAX_CHARACTERS:
        raise ValueError(f"a text of more than {MAX_CHARACTERS} characters")


def bounded(sprig: Mapping[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    """Return *sprig* with bounds; a call beyond them ends the rendering."""
    result = dict(sprig)
    for name in _BY_NUMBER:
        result[name] = _limited(sprig[name], lambda number, *_: abs(number))
    for name in _BY_STEPS:
        result[name] = _limited(sprig[name], _steps)
    result["repeat"] = _limited(sprig["repeat"], lambda n, text: max(n, 0) * len(text))
    return result


def _limited(
    function: Callable[..., Any], size: Callable[..., int]
) -> Callable[..., Any]:
    @wraps(function)
    def call(*arguments: Any) -> Any:
        if size(*arguments) > MAX_WIDTH:
            raise ValueError(f"it would make more than {MAX_WIDTH}")
        return function(*arguments)

    return call


def _steps(*numbers: int) -> int:
    return max(numbers, default=0) - min(0, *numbers, 0)
