"""node_exporter's end-to-end test, where a checkout of it is given."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.node import upstream


@pytest.mark.oracle
def test_every_line_of_upstreams_end_to_end_test() -> None:
    source = os.environ.get("NODE_EXPORTER_SOURCE", "")
    if not source:
        pytest.skip("no checkout of node_exporter: set NODE_EXPORTER_SOURCE")
    result = upstream.run(Path(source))
    print(f"{result.equal} of {result.expected} lines")
    assert result.difference == ""
    assert result.expected > 5000
