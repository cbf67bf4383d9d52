from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, strategies as st

from exporters.toolkit.decode import DecodeError
from shipper.pipeline import held
from shipper.pipeline.stages.cri import MAX_WAIT_SECONDS
from tests.shipper.pipeline.conftest import NOW_NS, Rig


NewRig = Callable[..., Rig]
TIME = 1_700_000_000 * 10**9


def cri(text: str, flag: str = "F", second: int = 20, stream: str = "stdout") -> str:
    return f"2023-11-14T22:13:{second}Z {stream} {flag} {text}"


def test_a_whole_line(rig: NewRig) -> None:
    [out] = rig("- cri: {}").feed(cri(" a b "))
    assert (out.line, out.timestamp_ns) == (" a b ", TIME)
    assert out.labels == {"job": "test", "stream": "stdout"}
    assert out.extracted["flags"] == "F"


@pytest.mark.parametrize(
    "line",
    [
        "plain",
        "",
        cri("x", stream="stdin"),
        f" {cri('x')}",
        cri("x").replace(" ", "\t"),
    ],
)
def test_a_line_that_is_none(rig: NewRig, line: str) -> None:
    [out] = rig("- cri:").feed(line)
    assert (out.line, out.timestamp_ns, out.labels) == (line, NOW_NS, {"job": "test"})


def test_parts_become_one_line_with_the_time_of_the_last(rig: NewRig) -> None:
    run = rig("- cri: {}")
    assert run.feed_all([cri("a ", "P", 20), cri("b ", "P", 21)]) == []
    assert [out.line for out in run.feed(cri("e", stream="stderr"))] == ["e"]
    [out] = run.feed(cri("c", "F", 22))
    assert (out.line, out.timestamp_ns) == ("a b c", TIME + 2 * 10**9)
    assert run.workshop.holders[0].deadline() is None


def test_parts_of_sources_that_share_labels_are_kept_apart(rig: NewRig) -> None:
    run = rig("- cri: {}")
    run.feed(cri("a ", "P"), {"job": "a"})
    assert [o.line for o in run.feed(cri("b"), {"job": "b"})] == ["b"]
    assert [o.line for o in run.feed(cri("a"), {"job": "a"})] == ["a a"]


def test_a_line_without_an_end_is_not_kept_for_ever(rig: NewRig) -> None:
    run = rig("- cri: {}")
    run.feed(cri("a ", "P"))
    run.clock.advance(MAX_WAIT_SECONDS - 1)
    run.feed(cri("b ", "P"))
    run.clock.advance(MAX_WAIT_SECONDS - 1)
    assert run.release() == []
    run.clock.advance(1.001)
    assert [out.line for out in run.release()] == ["a b "]
    assert [out.line for out in run.feed(cri("c"))] == ["c"]


def test_at_the_limit_all_goes_as_it_is(rig: NewRig) -> None:
    run = rig("- cri: {max_partial_lines: 2}")
    for job in "ab":
        run.feed(cri(job, "P"), {"job": job})
    out = run.feed(cri("c", "P"), {"job": "c"})
    assert [(o.labels["job"], o.line) for o in out] == [("a", "a"), ("b", "b")]
    assert [o.line for o in run.feed(cri("c"), {"job": "c"})] == ["cc"]
    assert [o.line for o in run.feed(cri("a"), {"job": "a"})] == ["a"]


def test_cuts_joined_lines_in_bytes(rig: NewRig) -> None:
    run = rig("- cri: {max_partial_line_size: 5, max_partial_line_size_truncate: yes}")
    assert run.feed(cri("whole is whole"))[0].line == "whole is whole"
    run.feed_all([cri("abc", "P"), cri("def", "P")])
    assert run.feed(cri("ghi"))[0].line == "abcde"
    run.feed(cri("\u00e4\u00f6", "P"))
    assert run.feed(cri("\u00fc"))[0].line == "\u00e4\u00f6\udcc3"
    run.feed(cri("abcdefgh", "P"))
    assert run.release(everything=True)[0].line == "abcde"


@pytest.mark.parametrize(
    "keys", ["max_partial_line_size: 3", "max_partial_line_size_truncate: true", ""]
)
def test_cuts_nothing_otherwise(rig: NewRig, keys: str) -> None:
    run = rig(f"- cri: {{{keys}}}")
    run.feed(cri("abcdef", "P"))
    assert run.feed(cri("ghi"))[0].line == "abcdefghi"


def test_a_character_in_two_parts_is_whole_again(rig: NewRig) -> None:
    run = rig("- cri: {}")
    run.feed(cri("a\udcc3", "P"))
    assert run.feed(cri("\udcbc"))[0].line == "a\u00fc"


def test_a_label_tags_is_no_line(rig: NewRig) -> None:
    [out] = rig("- cri: {}").feed(cri("text"), {"tags": "a"})
    assert out.line == "text"


def test_bytes_kept_are_bounded(rig: NewRig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held.Held.__init__, "__defaults__", (10,))
    run = rig("- cri: {}")
    assert run.feed(cri("123456", "P"), {"job": "a"}) == []
    out = run.feed(cri("12345", "P"), {"job": "b"})
    assert [(o.labels["job"], o.line) for o in out] == [("a", "123456")]
    assert [o.line for o in run.feed(cri("6" * 9, "P"), {"job": "b"})] == [
        "12345" + "6" * 9
    ]


PIECES = st.lists(
    st.tuples(
        st.sampled_from("ab"), st.sampled_from("PF"), st.text("xy\u00e4", max_size=3)
    ),
    max_size=30,
)


@given(pieces=PIECES, limit=st.integers(1, 3))
def test_no_text_is_lost_or_changes_places(
    pieces: list[tuple[str, str, str]], limit: int
) -> None:
    run = Rig(f"- cri: {{max_partial_lines: {limit}}}")
    for job, flag, text in pieces:
        run.feed(cri(text, flag), {"job": job})
    run.release(everything=True)
    for job in "ab":
        shipped = "".join(o.line for o in run.out if o.labels["job"] == job)
        assert shipped == "".join(text for j, _, text in pieces if j == job)


@pytest.mark.parametrize(
    "keys", ["max_partial_lines: many", "max_partial_line_size: x", "lines: 1"]
)
def test_refuses(rig: NewRig, keys: str) -> None:
    with pytest.raises(DecodeError) as error:
        rig(f"- cri: {{{keys}}}")
    assert len(error.value.errors) == 1
