from __future__ import annotations

from hypothesis import given, strategies as st

from shipper.pipeline.labelset import (
    MAX_REMEMBERED,
    MAX_REMEMBERED_SIZE,
    LabelSet,
    Memo,
)


LABELS = st.dictionaries(st.sampled_from("abcd"), st.sampled_from("xyz"))


@given(LABELS, LABELS, st.sets(st.sampled_from("abcd")))
def test_a_set_is_what_a_dict_would_be(
    first: dict[str, str], second: dict[str, str], gone: set[str]
) -> None:
    labels = LabelSet.of(first).having(second).without(gone)
    wanted = {k: v for k, v in {**first, **second}.items() if k not in gone}
    assert labels.pairs == tuple(sorted(wanted.items()))
    assert labels.values == wanted
    assert labels.size == len(wanted)


@given(LABELS)
def test_equal_sets_are_one(labels: dict[str, str]) -> None:
    backwards = dict(reversed(labels.items()))
    assert LabelSet.of(labels) is LabelSet.of(backwards)
    assert LabelSet.of(tuple(labels.items())) is LabelSet.of(labels)


def test_a_memo_has_a_bound() -> None:
    memo: Memo[int, int] = Memo()
    for number in range(3 * MAX_REMEMBERED):
        assert memo.remember(number, -number) == -number
        assert len(memo) <= MAX_REMEMBERED
    assert memo[3 * MAX_REMEMBERED - 1] == 1 - 3 * MAX_REMEMBERED


def test_a_memo_keeps_nothing_large() -> None:
    memo: Memo[str, int] = Memo()
    memo.remember("a", 1, MAX_REMEMBERED_SIZE + 1)
    assert not memo
