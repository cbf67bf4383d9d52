from __future__ import annotations

from shipper.config.push import PushConfig
from shipper.files.clock import LineClock
from shipper.pipeline.entry import Entry
from shipper.push.content import Labeller
from shipper.wire.model import PushStream


def labeller(*, keeps_time: bool = False) -> Labeller:
    config = PushConfig(labels={"via": "push"}, use_incoming_timestamp=keeps_time)
    return Labeller("job", config, lambda labels: labels)


STREAM = PushStream('{a="b"}', [Entry(5, b"same", ()), Entry(5, b"same", ())])


def test_equal_lines_of_one_push_get_times_of_their_own() -> None:
    """Loki would take the second for the first sent again."""
    pushed = labeller().streams([STREAM], LineClock(lambda: 100).stamp)
    assert [entry.timestamp_ns for _, entry in pushed.items] == [100, 101]
    raw = labeller().lines(b"same\nsame\r\n\n", LineClock(lambda: 100).stamp)
    assert [(e.timestamp_ns, e.line) for _, e in raw.items] == [
        (100, b"same"),
        (101, b"same"),
    ]


def test_incoming_times_stay() -> None:
    pushed = labeller(keeps_time=True).streams([STREAM], lambda: 100)
    assert [entry.timestamp_ns for _, entry in pushed.items] == [5, 5]
