from __future__ import annotations

from collections.abc import Callable

import pytest

from exporters.toolkit.decode import DecodeError
from shipper.pipeline.stages import limit
from tests.shipper.pipeline.conftest import Rig


def test_drops_what_is_too_much(rig: Callable[..., Rig]) -> None:
    stages = rig("- limit: {rate: 1, burst: 2, drop: true}")
    assert [out.line for out in stages.feed_all("abcd")] == ["a", "b"]
    assert stages.dropped == ["c", "d"]
    assert stages.counts.reasons == {"ratelimit_drop_stage": 2}
    stages.clock.advance(1)
    assert [out.line for out in stages.feed_all("ef")] == ["e"]


def test_or_says_how_long_it_has_to_wait(rig: Callable[..., Rig]) -> None:
    stages = rig('- limit: {rate: "0.5", burst: "1"}')
    stages.feed_all("abc")
    stages.clock.advance(3)
    stages.feed("d")
    assert stages.delays == pytest.approx([0.0, 2.0, 4.0, 3.0])
    assert (stages.dropped, stages.counts.reasons) == ([], {})


def test_two_limits_wait_one_after_the_other(rig: Callable[..., Rig]) -> None:
    stages = rig("- limit: {rate: 1, burst: 1}\n- limit: {rate: 0.25, burst: 1}")
    stages.feed_all("abc")
    # The first lets a line through each second; the second, each four.
    assert stages.delays == pytest.approx([0.0, 4.0, 8.0])


def test_each_value_of_a_label_has_its_limit(rig: Callable[..., Rig]) -> None:
    stages = rig("- limit: {rate: 1, burst: 1, drop: true, by_label_name: app}")
    labels: list[dict[str, str]] = [{"app": "a"}, {"app": "b"}, {}, {"app": ""}]
    kept = [stages.feed("x", pairs) for pairs in labels * 2]
    assert [len(out) for out in kept] == [1, 1, 1, 1, 0, 0, 1, 0]
    assert stages.counts.labels == {("app", "a"): 1, ("app", "b"): 1, ("app", ""): 1}
    assert stages.counts.reasons == {"ratelimit_drop_stage": 3}


def test_the_value_seen_longest_ago_is_forgotten(
    rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limit, "MIN_DISTINCT_LABELS", 2)
    stages = rig("- limit: {rate: 1, burst: 1, drop: true, by_label_name: app}")
    kept = [bool(stages.feed("x", {"app": app})) for app in "abacab"]
    # c takes the place of b: a was used since, and still has no token.
    assert kept == [True, True, False, True, False, True]


def test_a_low_number_of_labels_is_raised(
    rig: Callable[..., Rig], caplog: pytest.LogCaptureFixture
) -> None:
    rig("- limit: {rate: 1, burst: 1, drop: true, by_label_name: a}")
    assert "adjusted up to the minimal reasonable value of 10000" in caplog.text


@pytest.mark.parametrize(
    ("stage", "error"),
    [
        ("", "failed to parse rate or burst"),
        ("{rate: 1}", "failed to parse rate or burst"),
        ("{rate: 0, burst: 1}", "failed to parse rate or burst"),
        ("{rate: nan, burst: 1}", "failed to parse rate or burst"),
        ("{rate: 1, burst: -1}", "failed to parse rate or burst"),
        ("{rate: 1, burst: 1, by_label_name: a}", "drop must be true"),
        ("{rate: fast, burst: 1}", "expected a number, got 'fast'"),
    ],
)
def test_refused(rig: Callable[..., Rig], stage: str, error: str) -> None:
    with pytest.raises(DecodeError, match=error):
        rig(f"- limit: {stage}")
