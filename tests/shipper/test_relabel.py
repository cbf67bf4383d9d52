from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, strategies as st

from exporters.toolkit.decode import DecodeError, decode
from shipper.relabel import RelabelConfig, anchored, is_label_name, relabel


def rule(text: str) -> RelabelConfig:
    return decode(text.encode(), RelabelConfig, "r.yml")


@pytest.mark.parametrize(
    ("text", "before", "after"),
    [
        # replace
        ("{source_labels: [a], target_label: b}", {"a": "x"}, {"a": "x", "b": "x"}),
        (
            (
                "{source_labels: [a, b], target_label: c, regex: '(.*);(.*)',"
                " replacement: '$2-${1}'}"
            ),
            {"a": "1", "b": "2"},
            {"a": "1", "b": "2", "c": "2-1"},
        ),
        ("{source_labels: [a], regex: b, target_label: c}", {"a": "abc"}, {"a": "abc"}),
        ("{source_labels: [no], target_label: a}", {"a": "x"}, {}),  # "" deletes
        ("{target_label: a, replacement: y}", {"a": "x"}, {"a": "y"}),
        ("{target_label: a, replacement: }", {"a": "x"}, {}),  # null is "" (yaml.v2)
        (
            "{source_labels: [a, b], separator: , target_label: c}",
            {"a": "1", "b": "2"},
            {"a": "1", "b": "2", "c": "12"},
        ),
        (
            (
                "{source_labels: [a], regex: '(.)(.*)', target_label: 'l_$1',"
                " replacement: $2}"
            ),
            {"a": "xyz"},
            {"a": "xyz", "l_x": "yz"},
        ),
        (  # the expanded name is no label name: nothing happens
            "{source_labels: [a], regex: '(.*)', target_label: '${1}', replacement: v}",
            {"a": "x-y"},
            {"a": "x-y"},
        ),
        (  # a newline is no dot, as in promtail; in Prometheus 3 it is one
            "{source_labels: [a], target_label: b, replacement: nl}",
            {"a": "x\ny"},
            {"a": "x\ny"},
        ),
        (
            "{source_labels: [a], regex: '(?s)x.y', target_label: b, replacement: nl}",
            {"a": "x\ny"},
            {"a": "x\ny", "b": "nl"},
        ),
        ("{source_labels: [a], regex: '', target_label: b}", {"a": "x"}, {"a": "x"}),
        ("{source_labels: [a], regex: ~, target_label: b}", {"a": "x"}, {"a": "x"}),
        (
            "{source_labels: [a, b], separator: '', target_label: c}",
            {"a": "1", "b": "2"},
            {"a": "1", "b": "2", "c": "12"},
        ),
        # keep, drop
        ("{action: keep, source_labels: [a], regex: x|y}", {"a": "y"}, {"a": "y"}),
        ("{action: keep, source_labels: [a], regex: x|y}", {"a": "yy"}, None),
        ("{action: Drop, source_labels: [a], regex: x.*}", {"a": "xyz"}, None),
        ("{action: drop, source_labels: [a], regex: x}", {"a": "xyz"}, {"a": "xyz"}),
        (
            "{action: keepequal, source_labels: [a], target_label: b}",
            {"a": "1", "b": "1"},
            {"a": "1", "b": "1"},
        ),
        ("{action: keepequal, source_labels: [a], target_label: b}", {"a": "1"}, None),
        (
            "{action: dropequal, source_labels: [a], target_label: b}",
            {"a": "1", "b": "1"},
            None,
        ),
        # one label
        (
            "{action: uppercase, source_labels: [a], target_label: b}",
            {"a": "x"},
            {"a": "x", "b": "X"},
        ),
        (
            "{action: lowercase, source_labels: [a], target_label: a}",
            {"a": "X"},
            {"a": "x"},
        ),
        (  # letter by letter, as Go: straße keeps its length, no final sigma
            "{action: uppercase, source_labels: [a], target_label: a}",
            {"a": "straße"},
            {"a": "STRAßE"},
        ),
        (
            "{action: lowercase, source_labels: [a], target_label: a}",
            {"a": "ΑΣ"},
            {"a": "ασ"},
        ),
        (  # md5("foo") ends in 371f921d35c4b6b8 of Prometheus' own test: % 1000 = 976
            "{action: hashmod, source_labels: [c], target_label: d, modulus: 1000}",
            {"a": "foo", "b": "bar", "c": "baz"},
            {"a": "foo", "b": "bar", "c": "baz", "d": "976"},
        ),
        # names
        (
            "{action: labelmap, regex: 'meta_(.+)'}",
            {"meta_x": "1", "y": "2"},
            {"meta_x": "1", "x": "1", "y": "2"},
        ),
        (  # two onto one: the last name wins
            "{action: labelmap, regex: 'm_.(.+)'}",
            {"m_bx": "b", "m_ax": "a"},
            {"m_ax": "a", "m_bx": "b", "x": "b"},
        ),
        ("{action: labelmap, regex: 'm_(.*)'}", {"m_0a": "1"}, {"m_0a": "1"}),
        ("{action: labelmap, regex: 'm_(.*)'}", {"m_": "1"}, {"m_": "1"}),
        ("{action: labeldrop, regex: a.*}", {"ab": "1", "ba": "2"}, {"ba": "2"}),
        ("{action: labelkeep, regex: a.*}", {"ab": "1", "ba": "2"}, {"ab": "1"}),
    ],
)
def test_actions(
    text: str, before: Mapping[str, str], after: Mapping[str, str] | None
) -> None:
    assert relabel(before, [rule(text)]) == after


def test_rules_apply_in_order_and_a_drop_ends_them() -> None:
    rules = [
        rule("{source_labels: [a], target_label: b}"),
        rule("{action: drop, source_labels: [b], regex: gone}"),
        rule("{action: labeldrop, regex: a}"),
    ]
    assert relabel({"a": "x"}, rules) == {"b": "x"}
    assert relabel({"a": "gone"}, rules) is None


def test_empty_values_are_missing_labels_and_the_input_stays() -> None:
    labels = {"a": "", "__meta": "m"}
    assert relabel(labels, []) == {"__meta": "m"}
    assert labels == {"a": "", "__meta": "m"}


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("{action: hop}", '1:10: unknown relabel action "hop"'),
        (
            "{source_labels: [a, b.c], target_label: x}",
            '1:21: "b.c" is not a valid label name',
        ),
        ("{regex: '('}", "error parsing regexp: missing closing ): `(`"),
        ("{regex: 'a(?=b)'}", "invalid or unsupported Perl syntax: `(?=`"),
        ("{regex: 'a)(b', target_label: x}", "unexpected ): `a)(b`"),
        (
            "{}",
            "relabel configuration for replace action requires 'target_label' value",
        ),
        (
            "{action: hashmod, target_label: x}",
            "relabel configuration for hashmod requires non-zero modulus",
        ),
        ("{target_label: 0x}", "\"0x\" is invalid 'target_label' for replace action"),
        ("{target_label: 'a-$1'}", "is invalid 'target_label' for replace action"),
        (
            "{action: uppercase, target_label: '$1'}",
            "is invalid 'target_label' for uppercase action",
        ),
        (
            "{action: lowercase, target_label: a, replacement: x}",
            "'replacement' can not be set for lowercase action",
        ),
        (
            "{action: labelmap, replacement: 'a-b'}",
            "\"a-b\" is invalid 'replacement' for labelmap action",
        ),
        (
            "{action: keepequal, target_label: a, regex: x}",
            (
                "keepequal action requires only 'source_labels' and `target_label`, "
                "and no other fields"
            ),
        ),
        (
            "{action: labeldrop, regex: a, source_labels: [b]}",
            "labeldrop action requires only 'regex', and no other fields",
        ),
        ("{target_lable: a, target_label: b}", "field target_lable not found in"),
    ],
)
def test_validation(text: str, error: str) -> None:
    with pytest.raises(DecodeError) as caught:
        rule(text)
    assert error in str(caught.value)


@pytest.mark.parametrize(
    ("name", "valid"), [("a", True), ("_", True), ("a.b", False), ("0a", False)]
)
def test_label_names(name: str, valid: bool) -> None:
    assert is_label_name(name) is valid


def test_a_label_that_a_rule_set_comes_last_in_a_labelmap() -> None:
    rules = [
        rule("{target_label: m_ax, replacement: changed}"),
        rule("{action: labelmap, regex: 'm_.(.+)'}"),
    ]
    found = relabel({"m_bx": "b", "m_ax": "a"}, rules)
    assert found == {"m_ax": "changed", "m_bx": "b", "x": "changed"}


def test_patterns_are_anchored() -> None:
    assert anchored("a|b.c").search("bxc")
    assert not anchored("a|b.c").search("b\nc")
    assert not anchored("a|b").search("ab")


_LABELS = st.dictionaries(
    st.sampled_from(["a", "b", "m_1", "__x"]), st.text(max_size=4)
)
_RULES = st.sampled_from(
    [
        "{source_labels: [a, b], target_label: '${1}', regex: '(.*);.*'}",
        "{action: labelmap, regex: '.(.*)'}",
        "{action: hashmod, source_labels: [a], target_label: h, modulus: 7}",
        "{action: labelkeep, regex: '[am].*'}",
        "{action: uppercase, source_labels: [b], target_label: a}",
    ]
)


@given(_LABELS, st.lists(_RULES, max_size=4))
def test_results_are_always_labels(labels: Any, texts: list[str]) -> None:
    result = relabel(labels, [rule(text) for text in texts])
    assert result is not None
    assert all(is_label_name(name) and value for name, value in result.items())
