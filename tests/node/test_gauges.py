from __future__ import annotations

import pytest

from exporters.node.gauges import Gauges


def test_a_gauge_is_what_the_table_says() -> None:
    gauges = Gauges("node_a_", {"b": "B.", "c": "C."})
    gauges.add("b", 1, {"x": "1"})
    gauges.add("b", 0, {"x": "2"})
    gauges.add("c", None, {})
    gauges.counter("node_d_total", "D.", 2)
    b, d = gauges
    assert (b.name, b.documentation, b.type) == ("node_a_b", "B.", "gauge")
    assert [(s.labels, s.value) for s in b.samples] == [
        ({"x": "1"}, 1),
        ({"x": "2"}, 0),
    ]
    assert d.name == "node_d_total"
    with pytest.raises(KeyError):
        gauges.add("unknown", 1, {})
