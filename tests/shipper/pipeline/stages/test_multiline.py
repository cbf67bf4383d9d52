from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, strategies as st

from exporters.toolkit.decode import DecodeError
from shipper.pipeline import held
from shipper.pipeline.labelset import LabelSet
from shipper.pipeline.pipeline import assemble, chain
from shipper.pipeline.record import Record
from shipper.pipeline.stage import Workshop
from shipper.pipeline.stages import multiline
from tests.shipper.pipeline.conftest import Rig, configs


NewRig = Callable[..., Rig]
TEXT = "- multiline: {firstline: '^\\d'}"


def test_joins_a_block_when_the_next_begins(rig: NewRig) -> None:
    run = rig(TEXT)
    assert run.feed_all(["1 a", " b", "", " c"]) == []
    assert [out.line for out in run.feed("2 d")] == ["1 a\n b\n\n c"]
    assert [out.line for out in run.release(everything=True)] == ["2 d"]


def test_lines_before_the_first_one_pass(rig: NewRig) -> None:
    assert [out.line for out in rig(TEXT).feed_all(["a", "", "b"])] == ["a", "", "b"]


def test_a_block_is_that_of_its_first_line(rig: NewRig) -> None:
    run = rig("- regex: {expression: '(?P<word>\\w+)$'}\n" + TEXT)
    run.feed("1 one", timestamp_ns=7, metadata=(("trace", "t1"),))
    run.feed("two", timestamp_ns=8, metadata=(("trace", "t2"),))
    [out] = run.release(everything=True)
    assert (out.timestamp_ns, out.metadata) == (7, (("trace", "t1"),))
    assert (out.extracted["word"], out.labels) == ("one", {"job": "test"})


def test_waits_for_silence(rig: NewRig) -> None:
    run = rig(TEXT)
    run.feed("1 a")
    run.clock.advance(2.9)
    run.feed("b")
    run.clock.advance(2.9)
    assert run.release() == []
    assert run.workshop.holders[0].deadline() == pytest.approx(
        run.clock.monotonic() + 0.1, abs=1e-3
    )
    run.clock.advance(0.101)
    assert [out.line for out in run.release()] == ["1 a\nb"]
    assert run.workshop.holders[0].deadline() is None


def test_streams_wait_for_themselves(rig: NewRig) -> None:
    run = rig(TEXT)
    run.feed("1 a", {"job": "a"})
    run.clock.advance(2)
    run.feed("1 b", {"job": "b"})
    run.clock.advance(1.001)
    assert [out.line for out in run.release()] == ["1 a"]
    run.feed("more", {"job": "b"})
    run.clock.advance(3.001)
    assert [out.line for out in run.release()] == ["1 b\nmore"]


def test_what_comes_late_is_a_block_with_the_same_time(rig: NewRig) -> None:
    run = rig("- regex: {expression: '(?P<word>\\w+)$'}\n" + TEXT)
    run.feed("1 one", timestamp_ns=7)
    run.clock.advance(3.001)
    run.release()
    run.feed("two", timestamp_ns=8, metadata=(("trace", "t2"),))
    run.feed("three", timestamp_ns=9)
    [out] = run.feed("2", timestamp_ns=10)
    assert (out.line, out.timestamp_ns) == ("two\nthree", 7)
    assert (out.extracted["word"], out.metadata) == ("one", (("trace", "t2"),))


@pytest.mark.parametrize(
    ("max_lines", "blocks"),
    [
        (1, ["1", "a", "", "b", "c"]),
        (2, ["1\na", "\nb", "c"]),
        (3, ["1\na\n", "b\nc"]),
        (5, ["1\na\n\nb\nc"]),
        (0, ["1\na\n\nb\nc"]),
        ('"3"', ["1\na\n", "b\nc"]),
    ],
)
def test_too_many_lines_are_further_blocks(
    rig: NewRig, max_lines: object, blocks: list[str]
) -> None:
    run = rig(f"- multiline: {{firstline: '^\\d', max_lines: {max_lines}}}")
    run.feed_all(["1", "a", "", "b", "c"])
    run.release(everything=True)
    assert [out.line for out in run.out] == blocks


def test_a_first_line_that_a_later_stage_changes_is_remembered_as_it_was(
    rig: NewRig,
) -> None:
    run = rig(
        "- multiline: {firstline: '^\\d', max_lines: 1}\n"
        "- regex: {expression: '(?P<word>\\w+)$'}\n- labels: {word: }"
    )
    run.feed_all(["1 one", "- -"])
    assert [out.extracted.get("word") for out in run.out] == ["one", None]
    assert [out.labels.get("word") for out in run.out] == ["one", None]


def test_a_character_in_two_lines_stays_two_bytes(rig: NewRig) -> None:
    run = rig(TEXT)
    run.feed_all(["1 \udcc3", "\udcbc"])
    assert run.release(everything=True)[0].line == "1 \udcc3\n\udcbc"


def test_text_kept_is_bounded(rig: NewRig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held.Held.__init__, "__defaults__", (10,))
    run = rig(TEXT)
    assert run.feed("1" * 6, {"job": "a"}) == []
    assert [out.line for out in run.feed("2" * 5, {"job": "b"})] == ["1" * 6]
    assert [out.line for out in run.feed("x" * 6, {"job": "b"})] == ["22222\nxxxxxx"]
    assert run.feed("late", {"job": "a"}) == []


def test_streams_known_are_bounded(
    rig: NewRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(multiline, "MAX_STREAMS", 2)
    run = rig(TEXT)
    for job in "abc":
        run.feed(f"1 {job}", {"job": job})
    run.release(everything=True)
    assert [out.line for out in run.feed("late", {"job": "a"})] == ["late"]
    assert run.feed("late", {"job": "b"}) == []


class _Origin:
    key = 0

    def decided(self, record: Record) -> None:
        raise AssertionError("nothing is dropped")


STEPS = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from(["1", "2", "x", "", "y"]))
    | st.floats(0, 5),
    max_size=40,
)


@given(steps=STEPS, max_lines=st.integers(0, 4))
def test_every_line_comes_out_once_and_in_order(steps: Any, max_lines: int) -> None:
    out: list[Record] = []
    now = [0.0]
    workshop = Workshop(monotonic=lambda: now[0])
    text = f"- multiline: {{firstline: '^\\d', max_lines: {max_lines}}}"
    run = chain(assemble(configs(text), workshop), out.append)
    origin, fed = _Origin(), []
    for number, step in enumerate(steps):
        if isinstance(step, float):
            now[0] += step
            workshop.holders[0].release(now[0])
            continue
        job, line = step
        fed.append((job, number, line))
        labels = LabelSet.of({"job": job})
        run(Record(labels, 0, line, origin=origin, slots=[number]))
    workshop.holders[0].release(None)
    for wanted in "ab":
        mine = [record for record in out if record.labels.get("job") == wanted]
        assert [slot for record in mine for slot in record.slots] == [
            number for job, number, _ in fed if job == wanted
        ]
        assert [line for record in mine for line in record.line.split("\n")] == [
            line for job, _, line in fed if job == wanted
        ]
        assert all(record.line.count("\n") + 1 == len(record.slots) for record in mine)


@pytest.mark.parametrize(
    ("keys", "error"),
    [
        ("", "multiline stage config must define `firstline` regular expression"),
        (
            "firstline: '('",
            (
                "multiline stage first line regex compilation error: "
                "error parsing regexp: missing closing ): `(`"
            ),
        ),
        (
            "firstline: a, max_wait_time: 3",
            (
                "multiline stage `max_wait_time` parse error: "
                'time: missing unit in duration "3"'
            ),
        ),
        (
            "firstline: a, max_wait_time: ''",
            'multiline stage `max_wait_time` parse error: time: invalid duration ""',
        ),
        (
            "firstline: a, max_lines: -1",
            "multiline stage `max_lines` must not be negative",
        ),
        ("firstline: a, max_lines: some", "expected a whole number, got 'some'"),
    ],
)
def test_refuses(rig: NewRig, keys: str, error: str) -> None:
    with pytest.raises(DecodeError) as refused:
        rig(f"- multiline: {{{keys}}}")
    [text] = refused.value.errors
    assert text.endswith(f": {error}")
