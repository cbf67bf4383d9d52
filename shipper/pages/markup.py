"""HTML that is safe by construction: what is not made by `tag` is text."""

from __future__ import annotations

import html
from typing import Final


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


_EMPTY: Final = frozenset({"input", "meta", "br"})


def tag(name: str, /, *children: str, **attributes: str | bool) -> Html:
    """Return the element *name*; children that are no `Html` and values are escaped.

    ``class_`` is written ``class``, ``data_x`` is ``data-x``; True stands alone and
    False is left out.
    """
    head = name + "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _EMPTY:
        return Html(f"<{head}>")
    return Html(f"<{head}>{join(*children)}</{name}>")


def join(*children: str) -> Html:
    """Return *children* one after the other, escaped unless they are `Html`."""
    return Html(
        "".join(
            child if isinstance(child, Html) else html.escape(child)
            for child in children
        )
    )


def _attribute(key: str, value: str | bool) -> str:
    if value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{html.escape(str(value))}"'
