"""The kinds of flags there are: each parses the text of one value.

Upstream counterpart: kingpin ``parsers.go`` and ``values.go``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from . import gotext
from .duration import parse_go_duration


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Flag(Generic[T]):
    """One flag.

    *name* has no dashes in front. *parse* turns the text of one value into the
    value and raises ValueError with the text for the user; None makes a boolean,
    spelled ``--[no-]name``. With *repeatable*, *T* is a tuple of what *parse*
    returns, and the environment variable *env* holds one value per line. *hints* are
    values that a shell offers.
    """

    name: str
    help: str
    default: T
    parse: Callable[[str], Any] | None = None
    env: str | None = None
    repeatable: bool = False
    hidden: bool = False
    placeholder: str = ""
    hints: tuple[str, ...] = ()


def boolean(
    name: str,
    help: str,  # noqa: A002 -- kingpin's word, and every caller's keyword
    *,
    default: bool = False,
    env: str | None = None,
    hidden: bool = False,
) -> Flag[bool]:
    """Return a flag spelled ``--[no-]name`` that takes no value."""
    return Flag(name, help, default, None, env, hidden=hidden)


def string(
    name: str,
    help: str,  # noqa: A002 -- see boolean
    *,
    default: str = "",
    env: str | None = None,
    hidden: bool = False,
    placeholder: str = "",
) -> Flag[str]:
    """Return a flag whose value is taken as it is."""
    return Flag(name, help, default, str, env, hidden=hidden, placeholder=placeholder)


def strings(
    name: str,
    help: str,  # noqa: A002 -- see boolean
    *,
    default: tuple[str, ...] = (),
    env: str | None = None,
    hidden: bool = False,
) -> Flag[tuple[str, ...]]:
    """Return a flag that may be repeated; giving it once drops the *default*."""
    return Flag(name, help, default, str, env, repeatable=True, hidden=hidden)


def integer(
    name: str,
    help: str,  # noqa: A002 -- see boolean
    *,
    default: int = 0,
    env: str | None = None,
    hidden: bool = False,
) -> Flag[int]:
    """Return a flag for a whole number.

    kingpin reads it as a float and cuts the fraction off, hence ``1e3`` and the
    error text ``strconv.ParseFloat: …`` (kingpin ``values_generated.go``).
    """
    return Flag(name, help, default, _parse_integer, env, hidden=hidden)


def floating(
    name: str,
    help: str,  # noqa: A002 -- see boolean
    *,
    default: float = 0.0,
    env: str | None = None,
    hidden: bool = False,
) -> Flag[float]:
    """Return a flag for a number."""
    return Flag(name, help, default, gotext.parse_float, env, hidden=hidden)


def duration(
    name: str,
    help: str,  # noqa: A002 -- see boolean
    *,
    default: float = 0.0,
    env: str | None = None,
    hidden: bool = False,
    placeholder: str = "",
) -> Flag[float]:
    """Return a flag for a Go duration (``1m30s``); its value is in seconds."""
    return Flag(
        name,
        help,
        default,
        parse_go_duration,
        env,
        hidden=hidden,
        placeholder=placeholder,
    )


def choice(
    name: str,
    help: str,  # noqa: A002 -- see boolean
    options: Sequence[str],
    *,
    default: str,
    env: str | None = None,
    hidden: bool = False,
) -> Flag[str]:
    """Return a flag whose value must be one of *options*."""
    parse = functools.partial(_parse_choice, tuple(options))
    hints = tuple(options)
    return Flag(name, help, default, parse, env, hidden=hidden, hints=hints)


def _parse_integer(text: str) -> int:
    value = gotext.parse_float(text)
    if not abs(value) < 1 << 63:  # also NaN, which Go would turn into a wild number
        raise ValueError(
            f"strconv.ParseFloat: parsing {gotext.quote(text)}: value out of range",
        )
    return int(value)


def _parse_choice(options: tuple[str, ...], text: str) -> str:
    if text in options:
        return text
    raise ValueError(f"enum value must be one of {','.join(options)}, got '{text}'")
