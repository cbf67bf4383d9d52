"""What a dataclass of the configuration says about its keys, as rows of a table."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from typing import Annotated, Any, Final, Literal, NamedTuple

from exporters.toolkit.decode import OneKey, Scalar, Secret
from exporters.toolkit.duration import format_go_duration
from exporters.toolkit.yaml_choices import choice_of
from exporters.toolkit.yaml_records import gathered, key_of, record_fields, required
from shipper.config.url import ClientUrl


DONE: Final = "done"
NO_EFFECT: Final = "accepted, without effect"

_NAMES: Final = {
    str: "text",
    bool: "true, false",
    int: "whole number",
    float: "number",
    Secret: "secret text",
    ClientUrl: "URL",
    Any: "anything",
}
_SCALARS: Final = {
    "time.Duration": "duration",
    "Duration": "duration, also `1d`",
    "ByteSize": "size",
    "Regexp": "RE2 pattern",
    "URL": "URL of a proxy",
}
_TRAILING_ZEROS: Final = re.compile(r"(?<=m)0s$|(?<=h)0m0s$")


class Key(NamedTuple):
    """One row: a key, what it takes, what stands when it is missing, what it does."""

    name: str
    kind: str
    default: str
    state: str


class Shape(NamedTuple):
    """What a value looks like, and the dataclass that is in it, if there is one."""

    text: str
    record: type[Any] | None = None


def shape(kind: Any) -> Shape:
    """Return what values of *kind*, a type as annotated, look like."""
    choice = choice_of(kind)
    if isinstance(choice, OneKey):
        return Shape(f"[{choice.what}](#stages)")
    if choice is not None:
        one = shape(_item(typing.get_args(kind)[0]))
        return Shape(f"{one.text}, or a list", one.record)
    if typing.get_origin(kind) is not None:
        return _composed(kind, typing.get_origin(kind))
    if kind in _NAMES:
        return Shape(_NAMES[kind])
    if not is_dataclass(kind):
        raise TypeError(f"no words for {kind}")
    return Shape("", typing.cast("type[Any]", kind))


def _composed(kind: Any, origin: Any) -> Shape:
    if origin is Annotated:
        return Shape(_scalar(kind))
    if origin is Literal:
        return Shape(_options(kind))
    one = shape(_item(kind))
    if origin is tuple:
        return Shape(f"list of {one.text}", one.record)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return Shape(f"map of {one.text}", one.record)
    return one  # a union with None


def _item(kind: Any) -> Any:
    """Return the type of what is in *kind*: a list, a map, or something or None."""
    if typing.get_origin(kind) in (types.UnionType, typing.Union):
        return next(part for part in typing.get_args(kind) if part is not type(None))
    arguments = [part for part in typing.get_args(kind) if part is not Ellipsis]
    return arguments[-1]


def _scalar(kind: Any) -> str:
    base, *notes = typing.get_args(kind)
    name = next(note.name for note in notes if isinstance(note, Scalar))
    if typing.get_origin(base) is Literal:
        return _options(base)
    if name == "string" and base is float:
        return _SCALARS["time.Duration"]
    return _SCALARS.get(name) or _NAMES[base]


def _options(kind: Any) -> str:
    return ", ".join(f"`{option}`" for option in typing.get_args(kind) if option)


def own_keys(
    kind: type[Any], title: Mapping[type[Any], str], notes: Mapping[str, str]
) -> Iterator[Key]:
    """Yield the keys that *kind* adds to those of what it inherits from.

    *title* links the dataclasses that values are, those without a title stand below;
    *notes* says of keys (``Class.key``) what the code does not: that one has no effect.
    """
    types_of = record_fields(kind)
    needed = required(kind)
    inherited = {item.name for base in bases(kind) for item in fields(base)}
    defaults = {key_of(item.name): item for item in fields(kind)}
    for name, found in types_of.items():
        item = defaults[name]
        is_new = item.name not in inherited or item.name in kind.__annotations__
        if item.init and is_new:
            words = "required" if name in needed else _default(item, found)
            state = notes.get(f"{kind.__name__}.{name}", DONE)
            yield Key(f"`{name}`", _linked(found, title), words, state)
    yield from _known_only(kind)


def bases(kind: type[Any]) -> list[type[Any]]:
    """Return the dataclasses that *kind* inherits keys from, the nearest only."""
    return [base for base in kind.__bases__ if is_dataclass(base)]


def _known_only(kind: type[Any]) -> Iterator[Key]:
    """Yield the keys that are there for strictness' sake, and those refused."""
    for attribute in ("ACCEPTED", "REFUSED"):
        above = {key for base in bases(kind) for key in gathered(base, attribute)}
        found = {k: v for k, v in gathered(kind, attribute).items() if k not in above}
        if attribute == "REFUSED":
            for name, text in found.items():
                instead = text.removeprefix("not supported: ")
                yield Key(f"`{name}`", "", "", f"refused: {instead}")
        elif found:
            names = ", ".join(f"`{name}`" for name in sorted(found))
            yield Key(names, "", "", NO_EFFECT)


def _linked(kind: Any, title: Mapping[type[Any], str]) -> str:
    text, record = shape(kind)
    if record is None:
        return text
    name = title[record]
    if not name:
        return f"{text}the keys below"
    last = name.removesuffix(".*").rpartition(".")[2]
    return f"{text}[`{last}`](#{anchor(name)})"


def _default(item: Field[Any], kind: Any) -> str:
    value = item.default
    if value is MISSING:
        assert item.default_factory is not MISSING, "it is not required"
        value = item.default_factory()
    text = shape(kind).text
    if isinstance(value, float) and text.startswith("duration"):
        return f"`{_TRAILING_ZEROS.sub('', format_go_duration(value))}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if value is None or isinstance(value, Enum) or not shown(value):
        return ""
    return f"`{shown(value)}`".replace("|", r"\|")


def shown(value: object) -> str:
    """Return *value* as it would be written, nothing for one that is empty."""
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, int):
        return str(value)
    return value if isinstance(value, str) else ""


def anchor(title: str) -> str:
    """Return the name that GitHub gives to the heading *title*."""
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")
