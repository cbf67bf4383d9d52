"""Printing and comparing values that may be missing: ``printf``, ``eq`` and so on.

gotpl prints "<no value>" for nothing wherever it is; Go does so only outside of a call.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .bounds import MAX_WIDTH
from .strict import is_nothing, without_nothing


_NUMBER: Final = re.compile(r"\d{7,}")


@dataclass(frozen=True, slots=True)
class _Each:
    """A list or map whose items ``printf`` formats one by one, as Go does.

    The methods are gotpl's hooks.
    """

    value: Any

    def __go_format_value__(self, kind: str, _mode: str, *, nested: bool) -> str:
        del nested
        form = {"default": "%v", "syntax": "%#v", "type": "%T"}[kind]
        return _sprintf(form, self.value)

    def __go_format__(self, spec: Any) -> str:
        width = "" if spec.width is None else str(spec.width)
        precision = "" if spec.precision is None else f".{spec.precision}"
        form = f"%{spec.flags}{width}{precision}{spec.verb}"
        if spec.verb in "vTp":
            return _sprintf(form, self.value)

        def item(value: Any) -> str:
            return _sprintf(form, _formattable(value))

        if isinstance(self.value, list):
            return f"[{' '.join(map(item, self.value))}]"
        pairs = sorted(self.value.items())
        return f"map[{' '.join(f'{item(k)}:{item(v)}' for k, v in pairs)}]"


def _printf(form: str, *values: Any) -> str:
    if _NUMBER.search(form) or ("*" in form and any(map(_is_wide, values))):
        raise ValueError(f"a width of more than {MAX_WIDTH}")
    return _sprintf(form, *map(_formattable, values))


def _print(*values: Any) -> str:
    parts: list[str] = []
    previous: Any = ""
    for value in values:
        between = isinstance(value, str) or isinstance(previous, str)
        parts += ["" if between else " ", _spell(value)]
        previous = value
    return "".join(parts)


def _println(*values: Any) -> str:
    return " ".join(map(_spell, values)) + "\n"


def _spell(value: Any) -> str:
    return value if isinstance(value, str) else _sprintf("%v", _present(value))


def _list(*values: Any) -> list[Any]:
    return without_nothing(values)


def _equal(first: Any, *others: Any) -> bool:
    if not others:
        raise ValueError("missing argument for comparison")
    return any([_same(first, other) for other in others])  # noqa: C419 - all are checked


def _not_equal(first: Any, second: Any) -> bool:
    return not _same(first, second)


def _same(first: Any, second: Any) -> bool:
    if is_nothing(first) or is_nothing(second):
        return is_nothing(first) and is_nothing(second)
    if isinstance(first, (list, dict)) or isinstance(second, (list, dict)):
        raise TypeError("non-comparable type")
    if type(first) is not type(second):
        raise TypeError("incompatible types for comparison")
    return bool(first == second)


def _sprintf(form: str, *values: Any) -> str:
    from gotpl.runtime.gofmt import sprintf  # noqa: PLC0415

    return sprintf(form, *values)


def _formattable(value: Any) -> Any:
    return _Each(value) if isinstance(value, (list, dict)) else _present(value)


def _present(value: Any) -> Any:
    """Return what prints as ``<nil>`` in place of nothing."""
    from gotpl.runtime.values import UNTYPED_NIL  # noqa: PLC0415

    return UNTYPED_NIL if is_nothing(value) else value


def _is_wide(value: Any) -> bool:
    return isinstance(value, int) and abs(value) > MAX_WIDTH


FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "eq": _equal,
    "list": _list,
    "ne": _not_equal,
    "print": _print,
    "printf": _printf,
    "println": _println,
    "toString": _spell,
    "tuple": _list,
}
