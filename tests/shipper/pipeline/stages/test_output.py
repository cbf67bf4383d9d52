from __future__ import annotations

from collections.abc import Callable

import pytest

from exporters.toolkit.decode import DecodeError
from tests.shipper.pipeline.conftest import Rig


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"v":"text"}', "text"),
        ('{"v":""}', ""),
        ('{"v":1.50}', "1.5"),
        ('{"v":null}', '{"v":null}'),
        ("plain", "plain"),
    ],
)
def test_the_line_becomes_what_is_text(
    rig: Callable[..., Rig], line: str, expected: str
) -> None:
    stages = rig("- json: {expressions: {v: }}\n- output: {source: v}")
    assert [out.line for out in stages.feed(line)] == [expected]


@pytest.mark.parametrize("text", ["- output:", "- output: {}", "- output: {source: }"])
def test_needs_a_source(rig: Callable[..., Rig], text: str) -> None:
    with pytest.raises(DecodeError, match="output source value is required"):
        rig(text)
