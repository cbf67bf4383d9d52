"""Conditions on labels: numbers, durations, sizes, addresses, ``and``, ``or``."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from exporters.toolkit.duration import parse_nanoseconds
from exporters.toolkit.gotext import parse_float
from shipper.logql.addresses import finder
from shipper.logql.line import Line
from shipper.logql.logs import LabelFilter, quote
from shipper.logql.sizes import parse_size


_FILTER_ERROR: Final = "LabelFilterErr"
OPERATORS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
READERS: Final[Mapping[str, Callable[[str], float]]] = {
    "NUMBER": parse_float,
    "DURATION": parse_nanoseconds,
    "BYTES": parse_size,
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """``status >= 500``, ``took > 10s``, ``size < 5MB``; *text* is as written.

    A missing label fails; one that is no number passes and is an error of the line.
    """

    name: str
    op: str
    value: float
    kind: str
    text: str = field(compare=False)
    _holds: Callable[[float, float], bool] = field(
        init=False, repr=False, compare=False
    )
    _read: Callable[[str], float] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_holds", OPERATORS[self.op])
        object.__setattr__(self, "_read", READERS[self.kind])

    def test(self, line: Line) -> bool:
        """Say whether *line* passes."""
        text = line.values.get(self.name)
        if text is None:
            return False
        try:
            value = self._read(text)
        except ValueError as error:
            if not line.error:
                line.error, line.details = _FILTER_ERROR, str(error)
            return True
        return self._holds(value, self.value)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the labels asked about."""
        return (self.name,)

    def __str__(self) -> str:
        return f"{self.name}{self.op}{self.text}"


@dataclass(frozen=True, slots=True)
class AddressCondition:
    """``addr=ip("10.0.0.0/8")``. Raises ValueError."""

    name: str
    op: str
    pattern: str
    _find: Callable[[bytes], bool] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_find", finder(self.pattern))

    def test(self, line: Line) -> bool:
        """Say whether *line* passes; one with an error does."""
        if line.error:
            return True
        text = line.values.get(self.name)
        if text is None:
            return False
        found = self._find(text.encode("utf-8", "surrogateescape"))
        return found == (self.op == "=")

    @property
    def names(self) -> tuple[str, ...]:
        """Return the labels asked about."""
        return (self.name,)

    def __str__(self) -> str:
        return f"{self.name}{self.op}ip({quote(self.pattern)})"


@dataclass(frozen=True, slots=True)
class TextCondition:
    """``level="error"`` as part of a condition."""

    filter: LabelFilter

    def test(self, line: Line) -> bool:
        """Say whether *line* passes; a missing label is an empty one."""
        matcher = self.filter.matcher
        return matcher.matches(line.get(matcher.name))

    @property
    def names(self) -> tuple[str, ...]:
        """Return the labels asked about."""
        return (self.filter.matcher.name,)

    def __str__(self) -> str:
        return str(self.filter.matcher)


@dataclass(frozen=True, slots=True)
class Compound:
    """Both conditions, or with *either* one of them."""

    left: Condition
    right: Condition
    either: bool = False

    def test(self, line: Line) -> bool:
        """Say whether *line* passes; both sides may note an error."""
        left = self.left.test(line)
        if self.either and left:
            return True
        right = self.right.test(line)
        return right if self.either else left and right

    @property
    def names(self) -> tuple[str, ...]:
        """Return the labels asked about."""
        return (*self.left.names, *self.right.names)

    def __str__(self) -> str:
        return f"({self.left} {'or' if self.either else 'and'} {self.right})"


Condition: TypeAlias = Comparison | AddressCondition | TextCondition | Compound


@dataclass(frozen=True, slots=True)
class LabelCondition:
    """``| status >= 500 and method="GET"``."""

    condition: Condition

    def step(self) -> Callable[[Line], bool]:
        """Return the stage for the lines of one stream."""
        return self.condition.test

    def __str__(self) -> str:
        return f"| {self.condition}"
