"""Values whose shape depends on what is written (under ``toolkit.decode``).

yaml.v2 leaves these to the program: promtail decodes a stage by the one key that its
mapping has (mapstructure), and Prometheus takes one string where a list may stand.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any


@dataclass(frozen=True, eq=False)  # *kinds* need not have a hash
class OneKey:
    """A mapping of one key that says what its value is: ``- regex: {…}``.

    *what* names it in messages, *kinds* gives the type by key, *make* gets key and
    decoded value. An empty mapping gives ``make("", None)``.
    """

    what: str
    kinds: Mapping[str, Any]
    make: Callable[[str, Any], Any]


@dataclass(frozen=True)
class OneOrMany:
    """A list, or a single item without the list around it."""


def choice_of(kind: Any) -> OneKey | OneOrMany | None:
    """Return what *kind*, a type as annotated, says about its shape."""
    if typing.get_origin(kind) is not Annotated:
        return None
    for note in typing.get_args(kind)[1:]:
        if isinstance(note, OneKey | OneOrMany):
            return note
    return None
