from __future__ import annotations

import pytest

from exporters.nginx.access_log.plan import Plan, distinct
from exporters.nginx.access_log.settings import Settings
from exporters.toolkit.errors import StartError


def test_one_name_several_prefixes() -> None:
    plans = [Plan(Settings(name="a", prefix=prefix)) for prefix in "xyz"]
    assert [plan.settings.name for plan in distinct(plans)] == ["a", "a-2", "a-3"]


def test_one_prefix_told_apart_by_a_label() -> None:
    plans = [
        Plan(Settings(name=name, prefix="p", const_labels={"vhost": name}))
        for name in "ab"
    ]
    assert list(distinct(plans)) == plans


def test_series_that_could_not_be_told_apart() -> None:
    # The labels of upstream's "labels" are not on parse_errors_total.
    plans = [
        Plan(Settings(name=name, prefix="p", labels={"app": name})) for name in "ab"
    ]
    with pytest.raises(StartError) as caught:
        list(distinct(plans))
    assert str(caught.value) == (
        "access logs 'a' and 'b' have the same metrics with the prefix 'p', expected "
        "another prefix or a namespace_label"
    )
