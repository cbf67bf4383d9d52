from __future__ import annotations

import pytest

from exporters.toolkit.marked import rewrite


def test_rewrite_keeps_what_is_around_the_blocks() -> None:
    begin = "<!-- x: written by python -m exporters.node.document -->"
    page = f"before\n{begin}\nold\n<!-- end of x -->\nafter\n"
    assert rewrite(page, {"x": "new"}, "exporters.node.document") == (
        f"before\n{begin}\n\nnew\n\n<!-- end of x -->\nafter\n"
    )
    with pytest.raises(ValueError, match="expected"):
        rewrite("no block", {"x": "new"}, "exporters.node.document")
