from __future__ import annotations

from shipper.pipeline.entry import Labels
from shipper.syslog.labels import Streams


def test_an_answer_is_kept_and_the_oldest_forgotten() -> None:
    asked: list[dict[str, str]] = []

    def rules(labels: dict[str, str]) -> dict[str, str] | None:
        asked.append(labels)
        return None if labels["a"] == "drop" else {**labels, "__b": "c", "d": ""}

    streams = Streams("job", {"x": "y"}, rules, size=2)
    one: Labels = (("a", "1"),)
    assert streams.of(one) == (("a", "1"), ("x", "y"))
    assert streams.of((("a", "drop"),)) is None
    assert streams.of((("a", "drop"),)) is None
    assert streams.of(one) == (("a", "1"), ("x", "y"))
    assert len(asked) == 2
    streams.of((("a", "2"),))  # forgets "drop"
    streams.of(one)
    streams.of((("a", "drop"),))
    assert [labels["a"] for labels in asked] == ["1", "drop", "2", "drop"]


def test_what_is_found_comes_before_the_config() -> None:
    streams = Streams("job", {"a": "config"}, lambda labels: labels)
    assert streams.of((("a", "found"),)) == (("a", "found"),)


def test_no_label_left() -> None:
    streams = Streams("job", {}, lambda labels: {"__x": "y"})
    assert streams.of(()) == (("job", "job"),)
