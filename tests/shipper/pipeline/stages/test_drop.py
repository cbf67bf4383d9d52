from __future__ import annotations

from collections.abc import Callable

import pytest

from exporters.toolkit.decode import DecodeError
from tests.shipper.pipeline.conftest import NOW_NS, Rig


HOUR_NS = 3600 * 10**9
JSON = "- json: {expressions: {a: , b: }}\n"


@pytest.mark.parametrize(
    ("stage", "line", "dropped"),
    [
        ("{source: a}", '{"a":null}', True),
        ("{source: a}", "plain", False),
        ("{source: [a, job]}", "plain", False),
        ("{source: [a, job]}", '{"a":1}', True),
        ("{source: []}", "x", True),
        ("{source: a, value: 'x.z'}", '{"a":"x.z"}', True),
        ("{source: a, value: 'x.z'}", '{"a":"xyz"}', False),
        ("{source: a, value: ''}", "plain", True),
        ("{source: a, value: true}", '{"a":true}', True),
        ("{source: [a, b], value: 1;2}", '{"a":1,"b":2}', True),
        ("{source: [a, b], value: 1-2, separator: '-'}", '{"a":1,"b":2}', True),
        ("{source: [absent, a], value: 2}", '{"a":2}', True),
        ("{source: [a, b], value: 2}", '{"b":2}', False),
        ("{source: a, expression: 'b+'}", '{"a":"xbbx"}', True),
        ("{source: a, expression: '.*'}", '{"a":null}', False),
        ("{source: a, expression: '^$'}", "plain", True),
        ("{expression: '^p'}", "plain", True),
        ("{expression: 'P'}", "plain", False),
        ("{longer_than: 4}", "12345", True),
        ("{longer_than: 5b}", "12345", False),
        ("{longer_than: 5b}", "ünïü", True),
        ("{longer_than: 5b}", "\udcff\udcff", False),
        ("{longer_than: 1kb}", "x" * 1025, True),
        ("{longer_than: 1kb}", "x" * 1024, False),
        ("{older_than: 30m}", "x", True),
        ("{older_than: 1h}", "x", False),
        ("{older_than: 2h}", "x", False),
        ("{older_than: 30m, expression: y}", "x", False),
        ("{older_than: 30m, longer_than: 0b, expression: x}", "x", True),
    ],
)
def test_drops_what_meets_every_condition(
    rig: Callable[..., Rig], stage: str, line: str, dropped: bool
) -> None:
    stages = rig(f"{JSON}- drop: {stage}")
    out = stages.feed(line, timestamp_ns=NOW_NS - HOUR_NS)
    assert bool(out) is not dropped
    assert stages.dropped == [line] * dropped, "its source hears of it"
    assert stages.counts.reasons == ({"drop_stage": 1} if dropped else {})


@pytest.mark.parametrize(
    ("reason", "counted"), [("mine", "mine"), ("''", "drop_stage"), ("", "drop_stage")]
)
def test_counts_by_reason(rig: Callable[..., Rig], reason: str, counted: str) -> None:
    stages = rig(f"- drop: {{expression: x, drop_counter_reason: {reason}}}")
    stages.feed_all(["x", "y", "x"])
    assert stages.counts.reasons == {counted: 2}


@pytest.mark.parametrize(
    ("stage", "error"),
    [
        ("", "must contain at least one of `source`"),
        ("{separator: ','}", "must contain at least one of `source`"),
        ("{value: x}", "must contain at least one of `source`"),
        ("{value: x, older_than: 1h}", "must contain `source` if `value`"),
        ("{source: a, value: x, expression: y}", "cannot both be defined"),
        ("{expression: '('}", "regex compilation error: error parsing regexp: missing"),
        ("{expression: '(?=a)'}", "Perl syntax"),
        ("{older_than: 1d}", 'invalid duration, 1d cannot .* unknown unit "d"'),
        ("{older_than: ''}", "drop stage invalid duration"),
        ("{longer_than: 8kib}", "failed to parse longer_than to bytes: .*8KIB"),
        ("{longer_than: 1.5kb}", "failed to parse longer_than to bytes"),
        ("{source: {a: b}}", "cannot unmarshal"),
        ("{sorce: a}", "did you mean source"),
    ],
)
def test_refused(rig: Callable[..., Rig], stage: str, error: str) -> None:
    with pytest.raises(DecodeError, match=error):
        rig(f"- drop: {stage}")


def test_says_where(rig: Callable[..., Rig]) -> None:
    with pytest.raises(DecodeError) as error:
        rig("- drop:\n    older_than: soon")
    [text] = error.value.errors
    assert text == (
        "config.yaml:3:19: drop stage invalid duration, soon cannot be converted to a "
        'duration: time: invalid duration "soon"'
    )
