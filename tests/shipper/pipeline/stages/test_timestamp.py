from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, strategies as st

from exporters.toolkit.decode import DecodeError
from shipper.gotime import Layout
from shipper.pipeline.times import MAX_STREAMS
from tests.shipper.pipeline.conftest import NOW_NS, Clock, Rig


NewRig = Callable[..., Rig]
SECOND = 10**9


def stages(keys: str) -> str:
    return (
        "- regex: {expression: '^(?P<ts>[^|]*)\\|'}\n"
        f"- timestamp: {{source: ts, {keys}}}"
    )


@pytest.fixture(autouse=True)
def _in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")


@pytest.mark.parametrize(
    ("time_format", "text", "expected"),
    [
        ("Unix", "1700000000", 1_700_000_000 * SECOND),
        ("Unix", "1700000000.5", 1_700_000_000 * SECOND + 500_000_000),
        ("Unix", "1700000000.123456789", 1_700_000_000_123_456_789),
        ("Unix", "1700000000.12345678912", 1_700_000_000_123_456_789),
        ("Unix", "-1.5", -500_000_000),
        ("Unix", "1.2.3", None),
        ("Unix", "1.", None),
        ("Unix", ".5", None),
        ("Unix", "1e9", None),
        ("Unix", "9" * 19, None),
        ("Unix", "9" * 5000, None),
        ("Unix", "1." + "9" * 19, None),
        ("UnixMs", "1700000000123", 1_700_000_000_123_000_000),
        ("UnixMs", "1700000000123.0", None),
        ("UnixUs", "1700000000123456", 1_700_000_000_123_456_000),
        ("UnixNs", "1700000000123456789", 1_700_000_000_123_456_789),
        ("RFC3339", "2023-11-14T22:13:20.25Z", 1_700_000_000_250_000_000),
        ("RFC1123", "Tue, 14 Nov 2023 22:13:20 GMT", 1_700_000_000 * SECOND),
        ("RFC3339", "2262-04-11T23:47:16.854775807Z", (1 << 63) - 1),
        ("RFC3339", "2262-04-11T23:47:16.854775808Z", None),
        ("RFC3339", "0000-01-01T00:00:00Z", None),
        ("2006-01-02 15h", "2023-11-14 22h", 1_699_999_200 * SECOND),
        ("Kitchen", "3:04PM", None),
    ],
)
def test_formats(
    rig: NewRig, time_format: str, text: str, expected: int | None
) -> None:
    [out] = rig(stages(f"format: '{time_format}'")).feed(f"{text}|x")
    assert out.timestamp_ns == (NOW_NS if expected is None else expected)


@pytest.mark.parametrize(
    ("now", "text", "year"),
    [
        ("2025-06-15T00:00:00Z", "Mar  3 10:11:12", 2025),
        ("2025-06-15T00:00:00Z", "Dec 31 23:59:59", 2025),
        ("2025-01-01T00:00:01Z", "Dec 31 23:59:59", 2024),
        ("2025-01-31T00:00:01Z", "Dec  1 00:00:00", 2024),
        ("2025-02-01T00:00:00Z", "Dec 31 23:59:59", 2025),
        ("2024-12-31T23:59:59Z", "Jan  1 00:00:01", 2025),
        ("2024-12-31T23:59:59Z", "Feb  1 00:00:01", 2024),
    ],
)
def test_a_layout_without_year_means_the_nearest(
    now: str, text: str, year: int
) -> None:
    iso = Layout("2006-01-02T15:04:05Z07:00")
    run = Rig(stages("format: 'Jan _2 15:04:05'"), clock=Clock(iso.parse(now)))
    [out] = run.feed(f"{text}|x")
    assert out.timestamp_ns == Layout("2006 Jan _2 15:04:05").parse(f"{year} {text}")


def test_a_year_for_a_layout_without(rig: NewRig) -> None:
    [out] = rig(stages("format: 'Jan _2 15:04'")).feed("Mar  3 10:11 2025|x")
    assert out.timestamp_ns == NOW_NS


def test_location(rig: NewRig) -> None:
    run = rig(stages("format: '2006-01-02 15:04', location: Europe/Berlin"))
    [out] = run.feed("2023-11-14 23:13|x")
    assert out.timestamp_ns == 1_699_999_980 * SECOND


def test_fallback_formats_in_their_order(rig: NewRig) -> None:
    run = rig(stages("format: RFC3339, fallback_formats: ['2006-02-01', '2006-01-02']"))
    outs = run.feed_all(["2023-11-14T22:13:20Z|", "2023-12-11|", "2023-11-14|"])
    days = Layout("2006-01-02")
    assert [out.timestamp_ns for out in outs] == [
        1_700_000_000 * SECOND,
        days.parse("2023-11-12"),
        days.parse("2023-11-14"),
    ]


def test_fudge_counts_on_from_the_last_of_the_stream(rig: NewRig) -> None:
    run = rig(stages("format: Unix"))
    times = [
        run.feed(line, {"job": job})[0].timestamp_ns
        for job, line in [
            ("a", "no|"),
            ("a", "7|"),
            ("a", "no|"),
            ("b", "no|"),
            ("a", "plain"),
            ("a", "6|"),
            ("a", "plain"),
        ]
    ]
    assert times == [
        NOW_NS,
        7 * SECOND,
        7 * SECOND + 1,
        NOW_NS,
        7 * SECOND + 2,
        6 * SECOND,
        6 * SECOND + 1,
    ]


def test_fudge_knows_so_many_streams(rig: NewRig) -> None:
    run = rig(stages("format: Unix"))
    for number in range(2 * MAX_STREAMS + 1):
        run.feed("7|", {"n": str(number)})
        run.feed("no|", {"n": "0"})  # in use: not forgotten
    assert run.feed("no|", {"n": "1"})[0].timestamp_ns == NOW_NS
    [used] = run.feed("no|", {"n": "0"})
    assert used.timestamp_ns == 7 * SECOND + 2 * MAX_STREAMS + 2
    recent = {"n": str(MAX_STREAMS + 2)}
    assert run.feed("no|", recent)[0].timestamp_ns == 7 * SECOND + 1


def test_skip_keeps_the_time(rig: NewRig) -> None:
    run = rig(stages("format: Unix, action_on_failure: skip"))
    outs = run.feed_all(["7|", "no|", "plain"])
    assert [out.timestamp_ns for out in outs] == [7 * SECOND, NOW_NS, NOW_NS]


@pytest.mark.parametrize("value", ["null", "[1]", "{}", "true"])
def test_what_is_no_text_is_no_time(rig: NewRig, value: str) -> None:
    text = "- json: {expressions: {ts: }}\n- timestamp: {source: ts, format: Unix}"
    [out] = rig(text).feed(f'{{"ts":{value}}}')
    assert out.timestamp_ns == NOW_NS


@pytest.mark.parametrize(
    ("keys", "error"),
    [
        (
            "format: Unix",
            "timestamp source value is required if timestamp is specified",
        ),
        ("source: a", "timestamp format is required"),
        (
            "source: a, format: Unix, location: Mars/Olympus",
            "invalid location specified: unknown time zone Mars/Olympus",
        ),
        (
            "source: a, format: Unix, action_on_failure: explode",
            "invalid action on failure (supported values are [skip fudge])",
        ),
        (
            "source: a, format: Unix, action_on_failure: ''",
            "invalid action on failure (supported values are [skip fudge])",
        ),
    ],
)
def test_refuses(rig: NewRig, keys: str, error: str) -> None:
    with pytest.raises(DecodeError) as refused:
        rig(f"- timestamp: {{{keys}}}")
    [text] = refused.value.errors
    assert text.endswith(f": {error}")


@given(line=st.text(max_size=30), time_format=st.text(max_size=12))
def test_no_line_raises(line: str, time_format: str) -> None:
    quoted = "'" + "".join(c for c in time_format if c.isprintable() and c != "'") + "'"
    run = Rig(f"- timestamp: {{source: job, format: {quoted[:-1]}2006'}}")
    assert len(run.feed("x", {"job": line})) == 1
