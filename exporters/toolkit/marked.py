"""Keep the parts of a page that code writes apart from those written by hand."""

from __future__ import annotations

from collections.abc import Mapping


def rewrite(page: str, blocks: Mapping[str, str], writer: str) -> str:
    """Return *page* with what is between the marks of each of *blocks* replaced.

    *writer* is the module that writes them, which the marks name. ValueError when a
    mark is missing.
    """
    for name, text in blocks.items():
        begin = f"<!-- {name}: written by python -m {writer} -->"
        end = f"<!-- end of {name} -->"
        before, found, rest = page.partition(begin)
        _, closed, after = rest.partition(end)
        if not found or not closed:
            raise ValueError(f"expected {begin!r} ... {end!r} in the page")
        page = f"{before}{begin}\n\n{text}\n\n{end}{after}"
    return page
