"""What a dataclass says about the keys of its mapping (under ``toolkit.decode``)."""

from __future__ import annotations

import keyword
import typing
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any


def record_fields(kind: type[Any]) -> Mapping[str, Any]:
    """Return the type of each key, as annotated.

    A key that is a word of Python's (``global``) has a field with ``_`` behind it.
    """
    hints = typing.get_type_hints(kind, include_extras=True)
    return {key_of(item.name): hints[item.name] for item in fields(kind) if item.init}


def arguments(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return *values*, by key, as the arguments of a dataclass."""
    return {
        f"{key}_" if keyword.iskeyword(key) else key: value
        for key, value in values.items()
    }


def key_of(name: str) -> str:
    """Return the key of the field *name*."""
    key = name.removesuffix("_")
    return key if keyword.iskeyword(key) else name


def required(kind: type[Any]) -> frozenset[str]:
    """Return the keys without a default."""
    return frozenset(
        key_of(item.name)
        for item in fields(kind)
        if item.init and item.default is MISSING and item.default_factory is MISSING
    )


def gathered(kind: type[Any], name: str) -> Mapping[str, str]:
    """Return ACCEPTED or REFUSED of *kind* and of what it inherits from."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        own = vars(base).get(name, {})
        found.update(own if isinstance(own, Mapping) else dict.fromkeys(own, ""))
    return found
