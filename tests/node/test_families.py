from __future__ import annotations

from exporters.node.families import Families
from exporters.toolkit.exposition import encode


def test_names_types_and_labels_are_printed_as_given() -> None:
    families = Families()
    families.counter("a_total", "A.", 1, {"x": "1"})
    families.counter("b", "B.", 2)
    families.gauge("c_info", "C.", 1, {"y": "2"})
    families.gauge("c_info", "C.", 1, {"y": "2", "z": "3"})
    families.untyped("d", "D.", 2**64 - 1)
    assert encode(families).decode().splitlines() == [
        "# HELP a_total A.",
        "# TYPE a_total counter",
        'a_total{x="1"} 1',
        "# HELP b B.",
        "# TYPE b counter",
        "b 2",
        "# HELP c_info C.",
        "# TYPE c_info gauge",
        'c_info{y="2"} 1',
        'c_info{y="2",z="3"} 1',
        "# HELP d D.",
        "# TYPE d untyped",
        "d 1.8446744073709552e+19",
    ]


def test_a_name_can_say_the_type() -> None:
    families = Families()
    families.named("a_total", "A.", 1)
    families.named("a", "A.", 1)
    assert [family.type for family in families] == ["counter", "gauge"]


def test_nothing_gives_nothing() -> None:
    assert list(Families()) == []
