"""Read one YAML scalar by the type that is wanted (yaml.v2 decode.go, resolve.go)."""

from __future__ import annotations

import math
import re
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal, NamedTuple

from exporters.toolkit.yaml_nodes import FALSE, TRUE


_INTEGER: Final = re.compile(r"[-+]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|\d+)")
_FLOAT: Final = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")


@dataclass(frozen=True, slots=True)
class Secret:
    """A text that no log line, error or repr shows; ``reveal`` gives it."""

    _text: str = field(default="", repr=False)

    def reveal(self) -> str:
        """Return the text itself, for the one place that sends it."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return "<secret>"

    __str__ = __repr__


class Scalar(NamedTuple):
    """How to read a scalar: ``Annotated[float, Scalar("time.Duration", parse)]``.

    *parse* gets the text and raises ValueError or StartError, whose text must not
    show what may be secret. *null* is the text a null stands for; without one a null
    leaves the default.
    """

    name: str
    parse: Callable[[str], Any]
    null: str | None = None


class Mismatch(Exception):  # noqa: N818  never leaves the decoder
    """The text is not of the wanted type at all."""


class Reader(NamedTuple):
    name: str
    parse: Callable[[str], Any]
    plain_only: bool = False  # a quoted "1" is no number
    shown: bool = False  # the value cannot be a secret: errors may show it
    null: str | None = None


def _read_bool(text: str) -> bool:
    usual = text in (text.lower(), text.upper(), text.capitalize())
    if usual and text.lower() in TRUE | FALSE:
        return text.lower() in TRUE
    raise Mismatch


def _read_int(text: str) -> int:
    text = text.replace("_", "")
    if not _INTEGER.fullmatch(text):
        value = _read_float(text)
        if not value.is_integer():
            raise Mismatch
        return _in_range(int(value))
    unsigned = text.lstrip("+-").lower()
    base = {"0x": 16, "0b": 2, "0o": 8}.get(unsigned[:2])
    if base is None:
        octal = len(unsigned) > 1 and unsigned[0] == "0" and not set("89") & set(text)
        base = 8 if octal else 10
    if len(unsigned) > 70:
        raise Mismatch
    return _in_range(int(text, base))


def _in_range(value: int) -> int:
    if not -(1 << 63) <= value < 1 << 63:
        raise Mismatch
    return value


def _read_float(text: str) -> float:
    name = text.lower().lstrip("+-")
    if name in {".inf", ".nan"} and not (name == ".nan" and text[0] in "+-"):
        return -math.inf if text[0] == "-" else float(name[1:])
    if not _FLOAT.fullmatch(text.replace("_", "")):
        raise Mismatch
    return float(text.replace("_", ""))


def _read_literal(options: tuple[str, ...]) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in options:
            wanted = ", ".join(option or '""' for option in options)
            raise ValueError(f"expected one of {wanted}")
        return text

    return parse


READERS: Final[Mapping[Any, Reader]] = types.MappingProxyType(
    {
        str: Reader("string", str),
        Secret: Reader("Secret", Secret),
        bool: Reader("bool", _read_bool, plain_only=True, shown=True),
        int: Reader("int", _read_int, plain_only=True, shown=True),
        float: Reader("float64", _read_float, plain_only=True, shown=True),
    }
)


def scalar_reader(kind: Any) -> Reader:
    if typing.get_origin(kind) is Annotated:
        for note in typing.get_args(kind)[1:]:
            if isinstance(note, Scalar):
                return Reader(note.name, note.parse, null=note.null)
    if typing.get_origin(kind) is Literal:
        return Reader("string", _read_literal(typing.get_args(kind)))
    return READERS[kind]
