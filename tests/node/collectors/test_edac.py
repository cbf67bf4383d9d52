from __future__ import annotations

import pytest

from exporters.node.collectors import edac


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("mc#0csrow#1channel#0", "mc0_csrow1_channel0"),
        ("CPU#1Channel#2_DIMM#0", "CPU1Channel2_DIMM0"),
        ("DIMM_A1", "DIMM_A1"),
        ("", ""),
    ],
)
def test_dimm_label(text: str, label: str) -> None:
    assert edac.dimm_label(text) == label
