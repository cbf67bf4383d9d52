from __future__ import annotations

import gc
from collections.abc import Callable

import pytest

from exporters.toolkit.decode import DecodeError
from exporters.toolkit.exposition import encode
from shipper.pipeline import custom_metrics
from shipper.pipeline.stages.metrics import number_of
from tests.shipper.pipeline.conftest import Counts, Rig


JSON = "- json: {expressions: {a: , d: }}\n"
LINES = [
    '{"a":1.5,"d":"0.5ms"}',
    '{"a":true,"d":"2","n":"x"}',
    'plain "x"',
    '{"a":"1h","d":1e7}',
]
LABELS = {"filename": "/in.log", "job": "t"}
# What promtail 3.4.6 answers for LINES (scraped while this was written).
GOLDEN = r"""# HELP my_we_ird 
# TYPE my_we_ird gauge
my_we_ird{filename="/in.log",job="t"} 3602.5
# HELP promtail_custom_bytes_total b\\n"x
# TYPE promtail_custom_bytes_total counter
promtail_custom_bytes_total{filename="/in.log",job="t"} 74
# HELP promtail_custom_g 
# TYPE promtail_custom_g gauge
promtail_custom_g{filename="/in.log",job="t"} 3600
# HELP promtail_custom_h 
# TYPE promtail_custom_h histogram
promtail_custom_h_bucket{filename="/in.log",job="t",le="0.001"} 1
promtail_custom_h_bucket{filename="/in.log",job="t",le="1"} 1
promtail_custom_h_bucket{filename="/in.log",job="t",le="10"} 2
promtail_custom_h_bucket{filename="/in.log",job="t",le="+Inf"} 3
promtail_custom_h_sum{filename="/in.log",job="t"} 1.00000020005e+07
promtail_custom_h_count{filename="/in.log",job="t"} 3
# HELP promtail_custom_hits hits
# TYPE promtail_custom_hits counter
promtail_custom_hits{filename="/in.log",job="t"} 4
"""  # noqa: W291 -- an empty HELP ends with a space
GOLDEN_STAGES = (
    JSON
    + r"""- metrics:
    hits: {type: Counter, description: hits, config: {match_all: true, action: inc}}
    bytes_total:
      type: counter
      description: 'b\n"x'
      config: {match_all: true, count_entry_bytes: true, action: ADD}
    g: {type: gauge, source: a, config: {action: set}}
    h: {type: histogram, source: d, config: {buckets: [0.001, 1, 10, .inf]}}
    we_ird: {type: gauge, source: a, prefix: my_, config: {action: add}}
"""
)


def _scrape(rig: Rig) -> str:
    families = [m for c in rig.counts.collectors for m in c.collect()]
    problems: list[str] = []
    text = encode(families, problems.append).decode()
    assert problems == []
    return text


def _values(rig: Rig) -> dict[str, float]:
    rows = [row for row in _scrape(rig).splitlines() if not row.startswith("#")]
    return {name: float(value) for name, _, value in (r.rpartition(" ") for r in rows)}


def _metric(keys: str, name: str = "m") -> str:
    return f"{JSON}- metrics: {{{name}: {{{keys}}}}}"


def test_shows_what_promtail_shows(rig: Callable[..., Rig]) -> None:
    stages = rig(GOLDEN_STAGES)
    for line in LINES:
        [out] = stages.feed(line, LABELS)
        assert (out.line, out.labels) == (line, LABELS)
    assert _scrape(stages) == GOLDEN


@pytest.mark.parametrize(
    ("keys", "lines", "expected"),
    [
        ("type: counter, source: a, config: {action: inc}", ['{"a":null}', "x"], 1),
        (
            "type: counter, source: a, config: {action: add}",
            ['{"a":2}', '{"a":"3"}'],
            5,
        ),
        ("type: counter, source: a, config: {action: add}", ['{"a":"x"}'], None),
        ("type: counter, source: a, config: {action: add}", ['{"a":[1]}'], None),
        (
            "type: counter, source: a, config: {value: 7, action: inc}",
            ['{"a":7}', '{"a":"7"}', '{"a":7.5}', '{"a":null}'],
            2,
        ),
        ("type: counter, source: a, config: {value: '', action: inc}", ['{"a":""}'], 1),
        ("type: counter, config: {match_all: true, action: add}", ["x"], None),
        ("type: gauge, source: a, config: {action: inc}", ['{"a":"x"}'], 1),
        ("type: gauge, source: a, config: {action: dec}", ['{"a":0}', '{"a":0}'], -2),
        ("type: gauge, source: a, config: {action: sub}", ['{"a":"1m"}'], -60),
        ("type: gauge, source: a, config: {action: set}", ['{"a":1}', '{"a":-4}'], -4),
        ("type: gauge, source: job, config: {action: inc, value: t}", ["x"], 1),
        ("type: gauge, source: '', config: {action: inc}", ["x"], None),
        ("type: gauge, config: {action: inc, match_all: true}", ["x"], None),
    ],
)
def test_actions(
    rig: Callable[..., Rig], keys: str, lines: list[str], expected: float | None
) -> None:
    stages = rig(_metric(keys))
    for line in lines:
        stages.feed(line, {"job": "t"})
    name = 'promtail_custom_m{job="t"}'
    assert _values(stages) == ({} if expected is None else {name: expected})


def test_a_counter_may_be_called_created(rig: Callable[..., Rig]) -> None:
    keys = "type: counter, config: {match_all: true, action: inc}"
    stages = rig(_metric(keys, "jobs_created"))
    stages.feed("x", {})
    assert _values(stages) == {"promtail_custom_jobs_created": 1}


def test_its_own_name_is_the_source(rig: Callable[..., Rig]) -> None:
    stages = rig(_metric("type: gauge, config: {action: set}", "a"))
    stages.feed('{"a":9}', {})
    assert _values(stages) == {"promtail_custom_a": 9}


@pytest.mark.parametrize("value", ["-1", '"nan"', '"-inf"', '"inf"', '"-5ms"'])
def test_a_counter_is_not_changed_by_what_it_cannot_be(
    rig: Callable[..., Rig], value: str, caplog: pytest.LogCaptureFixture
) -> None:
    stages = rig(_metric("type: counter, source: a, config: {action: add}"))
    stages.feed_all(['{"a":2}', f'{{"a":{value}}}', f'{{"a":{value}}}'])
    assert list(_values(stages).values()) == [2]
    assert len(caplog.records) == 1


def test_whole_numbers_add_up_exactly(rig: Callable[..., Rig]) -> None:
    stages = rig(_metric("type: counter, source: a, config: {action: add}"))
    stages.feed_all(['{"a":9007199254740992}', *['{"a":1}'] * 4, '{"a":0.5}'])
    assert list(_values(stages).values()) == [9007199254740996]


def test_default_buckets_and_numbers_beyond_them(rig: Callable[..., Rig]) -> None:
    stages = rig(_metric("type: histogram, source: a"))
    stages.feed_all(['{"a":0.005}', '{"a":11}', '{"a":"nan"}', '{"a":"inf"}'])
    values = _values(stages)
    assert len(values) == 14
    assert values['promtail_custom_m_bucket{job="test",le="0.005"}'] == 1
    assert values['promtail_custom_m_bucket{job="test",le="10"}'] == 1
    assert values['promtail_custom_m_count{job="test"}'] == 3


def test_labels_that_cannot_be_shown(rig: Callable[..., Rig]) -> None:
    stages = rig(_metric("type: histogram, source: job, config: {buckets: [1]}"))
    for tenant in ("a", "b"):
        stages.feed("x", {"job": "2", "le": "x", "__tenant_id__": tenant})
    stages.feed("x", {"job": "2", "bad": "\udcff\n", "a.b": "c"})
    values = _values(stages)
    assert values['promtail_custom_m_count{exported_le="x",job="2"}'] == 2
    assert values['promtail_custom_m_count{bad="\ufffd\\n",job="2"}'] == 1


def test_names_that_cannot_be_shown(rig: Callable[..., Rig]) -> None:
    text = "type: gauge, source: job, config: {action: inc}"
    stages = rig(f'- metrics: {{"we-ird": {{{text}}}, "9é": {{{text}}}}}')
    stages.feed("x", {"job": "t"})
    names = {'promtail_custom_we_ird{job="t"}', 'promtail_custom_9_{job="t"}'}
    assert _values(stages).keys() == names


SHARED_COUNTER = """
- metrics: {m: {type: counter, config: {match_all: true, action: inc}}}
- metrics: {m: {type: counter, config: {match_all: true, action: inc}}}
"""
SHARED_GAUGE = """
- match:
    selector: '{job="t"} |= "open"'
    stages: [{metrics: {m: {type: gauge, source: job, config: {action: inc}}}}]
- match:
    selector: '{job="t"} |= "close"'
    stages: [{metrics: {m: {type: gauge, source: job, config: {action: dec}}}}]
"""


@pytest.mark.parametrize(
    ("stages", "expected"), [(SHARED_COUNTER, 6), (SHARED_GAUGE, 1)]
)
def test_stages_share_a_name(
    rig: Callable[..., Rig], stages: str, expected: float
) -> None:
    made = rig(stages)
    for line in ("open", "open", "close"):
        made.feed(line, {"job": "t"})
    for _ in range(3):
        assert _values(made) == {'promtail_custom_m{job="t"}': expected}


def test_jobs_share_a_name_for_as_long_as_they_live(rig: Callable[..., Rig]) -> None:
    text = "- metrics: {m: {type: counter, config: {match_all: true, action: inc}}}"
    counts = Counts()
    first, second = rig(text, counts=counts), rig(text, counts=counts)
    first.feed("x", {"job": "t"})
    second.feed("x", {"job": "t"})
    assert _values(second) == {'promtail_custom_m{job="t"}': 2}
    counts.collectors.pop(0)  # the first one's pipeline has ended
    del first
    second.feed("x", {"job": "t"})
    assert _values(second) == {'promtail_custom_m{job="t"}': 3}


def test_a_stage_that_takes_over_between_two_scrapes(rig: Callable[..., Rig]) -> None:
    text = "- metrics: {m: {type: counter, config: {match_all: true, action: inc}}}"
    counts = Counts()
    before = rig(text, counts=counts)
    before.feed("x", {"job": "t"})
    assert len(_values(before)) == 1
    counts.collectors.clear()  # as when the configuration is loaded again
    after = rig(text, counts=counts)
    assert _values(after) == {'promtail_custom_m{job="t"}': 1}
    assert _values(after) == {'promtail_custom_m{job="t"}': 1}


def test_other_meters_have_other_metrics(rig: Callable[..., Rig]) -> None:
    text = "- metrics: {m: {type: counter, config: {match_all: true, action: inc}}}"
    first, second = rig(text), rig(text)
    first.feed("x", {"job": "t"})
    assert _values(second) == {}
    book = first.counts.custom
    assert len(book) == 1
    first.counts.collectors.clear()
    del first, second
    gc.collect()
    assert len(book) == 0


def test_two_kinds_under_one_name_leave_the_text_valid(
    rig: Callable[..., Rig],
) -> None:
    stages = rig(
        "- metrics: {m: {type: counter, source: job, config: {action: inc}}}\n"
        "- metrics: {m: {type: gauge, source: job, config: {action: inc}}}"
    )
    stages.feed("x", {"job": "t"})
    problems: list[str] = []
    families = [m for c in stages.counts.collectors for m in c.collect()]
    text = encode(families, problems.append).decode()
    assert text.count("# TYPE promtail_custom_m ") == 1
    assert len(problems) == 1


def test_idle_series_go_after_they_were_shown(rig: Callable[..., Rig]) -> None:
    keys = (
        "type: counter, max_idle_duration: 90s, config: {match_all: true, action: inc}"
    )
    stages = rig(_metric(keys))
    stages.feed("x", {"job": "a"})
    stages.clock.advance(60)
    stages.feed("x", {"job": "b"})
    stages.clock.advance(30)
    a, b = 'promtail_custom_m{job="a"}', 'promtail_custom_m{job="b"}'
    assert _values(stages) == {a: 1, b: 1}
    assert _values(stages) == {b: 1}
    stages.clock.advance(3600)
    stages.feed("x", {"job": "b"})
    assert _values(stages) == {b: 2}, "nobody looked, so it was still there"


def test_series_have_a_bound(
    rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(custom_metrics, "MAX_SERIES", 2)
    keys = (
        "type: counter, max_idle_duration: 60s, config: {match_all: true, action: inc}"
    )
    stages = rig(_metric(keys))
    for value in "abcdda":
        stages.feed("x", {"v": value})
    folded = 'shipper_custom_metrics_folded_lines_total{metric="promtail_custom_m"}'
    assert _values(stages) == {
        'promtail_custom_m{overflow="true"}': 3,
        'promtail_custom_m{v="a"}': 2,
        'promtail_custom_m{v="b"}': 1,
        folded: 3,
    }
    stages.clock.advance(61)
    stages.feed("x", {"v": "e"})  # there is room again: the idle ones go first
    assert _values(stages) == {'promtail_custom_m{v="e"}': 1, folded: 3}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1.5, 1.5),
        (True, 1.0),
        (3, 3.0),
        (10**400, float("inf")),
        ("0.804", 0.804),
        ("1e3", 1000.0),
        ("0.5ms", 0.0005),
        ("1h1m", 3660.0),
        ("-2us", -2e-06),
        ("0x10p0", 16.0),
        ("", None),
        (" 1", None),
        ("1 s", None),
        ("1_000", None),
        ("1e400", None),
        ("9" * 5000 + "h", None),
        ("٣", None),
        (None, None),
        ([1], None),
        ({}, None),
    ],
)
def test_numbers(value: object, expected: float | None) -> None:
    assert number_of(value) == expected


@pytest.mark.parametrize(
    ("keys", "error"),
    [
        ("type: summary", "invalid metric type 'summary', metric type must be one of"),
        ("description: x", "invalid metric type ''"),
        ("type: Counter", "counter action must be defined as either `inc` or `add`"),
        ("type: counter, config: {action: Set}", "action set is not valid"),
        ("type: gauge", "gauge action must be defined as `set`"),
        ("type: gauge, config: {action: mul}", "action mul is not valid"),
        (
            "type: counter, config: {action: inc, match_all: true, value: x}",
            "cannot be combined with `value`",
        ),
        (
            "type: counter, config: {action: add, count_entry_bytes: true}",
            "can only be set with `match_all: true`",
        ),
        (
            "type: counter, config: {action: Inc, match_all: y, count_entry_bytes: y}",
            "can only be used with `action: add`",
        ),
        ("type: histogram, config: {buckets: [1, 1]}", "must be in increasing order"),
        ("type: histogram, config: {buckets: [.nan]}", "must be in increasing order"),
        ("type: histogram, config: {buckets: [.inf, 1]}", "in increasing order"),
        ("type: histogram, config: {buckets: [a]}", "into float64"),
        ("type: histogram, max_idle_duration: 1d", "could not be parsed as a time"),
        ("type: histogram, max_idle_duration: 500ms", "less than 1s not allowed"),
        ("type: histogram, sauce: a", "did you mean source"),
    ],
)
def test_refused(rig: Callable[..., Rig], keys: str, error: str) -> None:
    with pytest.raises(DecodeError, match=error):
        rig(_metric(keys))


@pytest.mark.parametrize("text", ["- metrics:", "- metrics: {}"])
def test_none_at_all(rig: Callable[..., Rig], text: str) -> None:
    assert len(rig(text).feed("x")) == 1
