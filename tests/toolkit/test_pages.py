"""The text of families that is kept between scrapes."""

from __future__ import annotations

import pytest

from exporters.toolkit import pages
from exporters.toolkit.escaping import Escaping
from exporters.toolkit.gathering import gather
from exporters.toolkit.metric import GaugeMetricFamily, Metric
from exporters.toolkit.pages import Pages
from exporters.toolkit.textform import Style, TextForm


shown: list[float] = []


def _number(value: float) -> str:
    shown.append(value)
    return str(value)


@pytest.fixture
def kept() -> Pages[str]:
    """Pages that note in *shown* which numbers they print."""
    shown.clear()
    return Pages(TextForm(Style(_number, _number, _number), Escaping.UNDERSCORES))


def family(values: dict[str, float], name: str = "g", about: str = "G.") -> Metric:
    found = GaugeMetricFamily(name, about, labels=["l"])
    for label, value in values.items():
        found.add_metric([label], value)
    return found


def text(kept: Pages[str], *metrics: Metric) -> str:
    groups = gather(metrics, print)
    return "".join([kept.body(group, print) for group in groups])


def test_numbers_are_printed_again_only_if_one_changed(kept: Pages[str]) -> None:
    assert text(kept, family({"b": 1, "a": 2})) == 'g{l="a"} 2\ng{l="b"} 1\n'
    assert text(kept, family({"b": 1, "a": 2})) == 'g{l="a"} 2\ng{l="b"} 1\n'
    assert shown == [2, 1]
    assert text(kept, family({"b": 1, "a": 3})) == 'g{l="a"} 3\ng{l="b"} 1\n'
    assert shown == [2, 1, 3, 1]


def test_other_labels_other_lines(kept: Pages[str]) -> None:
    text(kept, family({"a": 1}))
    assert text(kept, family({"b": 1})) == 'g{l="b"} 1\n'
    assert text(kept, family({"b": 1, "c": 1})) == 'g{l="b"} 1\ng{l="c"} 1\n'
    other = GaugeMetricFamily("g", "G.", labels=["m"])
    other.add_metric(["b"], 1)
    assert text(kept, other) == 'g{m="b"} 1\n'
    assert text(kept, GaugeMetricFamily("g", "G.", 1)) == "g 1\n"


def test_a_family_may_be_changed_where_it_is(kept: Pages[str]) -> None:
    metric = family({"a": 1})
    assert text(kept, metric) == 'g{l="a"} 1\n'
    metric.values[0] = 2
    assert text(kept, metric) == 'g{l="a"} 2\n'
    metric.add_metric(["b"], 3)
    assert text(kept, metric) == 'g{l="a"} 2\ng{l="b"} 3\n'


def test_what_comes_twice_is_reported_at_every_scrape(kept: Pages[str]) -> None:
    twice = family({"a": 1})
    twice.add_metric(["a"], 2)
    for _ in range(2):
        problems: list[str] = []
        (group,) = gather([twice], problems.append)
        assert kept.body(group, problems.append) == 'g{l="a"} 1\n'
        assert len(problems) == 1


def test_a_second_family_of_the_name_is_merged_though_the_first_is_kept(
    kept: Pages[str],
) -> None:
    text(kept, family({"b": 1}))
    assert text(kept, family({"b": 1}), family({"a": 2})) == 'g{l="a"} 2\ng{l="b"} 1\n'
    assert text(kept, family({"b": 1})) == 'g{l="b"} 1\n'


def test_signs_of_a_pattern_are_text(kept: Pages[str]) -> None:
    assert text(kept, family({"%s %d %%": 1})) == 'g{l="%s %d %%"} 1\n'


def test_what_is_kept_has_a_bound(
    kept: Pages[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "MOST_ROWS", 3)
    small = Pages(kept._form)
    few, many = family({"a": 1, "b": 2}), family(dict.fromkeys("abcd", 1.0), "many")
    for _ in range(2):
        assert text(small, few) == 'g{l="a"} 1\ng{l="b"} 2\n'
    assert shown == [1, 2]
    assert text(small, many).count("\n") == 4  # too many: all is forgotten
    assert text(small, few) == 'g{l="a"} 1\ng{l="b"} 2\n'
    assert shown[-2:] == [1, 2]
    for label in "xyz":  # one name, however often its labels change, is one page
        text(small, family({label: 1}, "one"))
    before = len(shown)
    text(small, few)
    assert len(shown) == before
