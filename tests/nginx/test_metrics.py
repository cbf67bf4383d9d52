from __future__ import annotations

import pytest

from exporters.nginx.metrics import (
    NGINX_METRICS,
    const_labels,
    nginx_metrics,
    split_const_labels,
    target_labels,
)
from exporters.nginx.stub_status import StubStatus
from exporters.nginx.targets import parse_targets
from exporters.toolkit.errors import StartError
from exporters.toolkit.metric import Metric


STATUS = StubStatus(
    active=1, accepted=2, handled=3, requests=4, reading=5, writing=6, waiting=7
)


def _values(families: list[Metric]) -> dict[str, list[tuple[dict[str, str], float]]]:
    return {
        family.name: [(sample.labels, sample.value) for sample in family.samples]
        for family in families
    }


def test_each_number_has_its_metric() -> None:
    families = nginx_metrics([({}, STATUS)])
    assert _values(families) == {
        "nginx_up": [({}, 1)],
        "nginx_connections_active": [({}, 1)],
        "nginx_connections_accepted": [({}, 2)],
        "nginx_connections_handled": [({}, 3)],
        "nginx_http_requests_total": [({}, 4)],
        "nginx_connections_reading": [({}, 5)],
        "nginx_connections_writing": [({}, 6)],
        "nginx_connections_waiting": [({}, 7)],
    }
    counters = {family.name for family in families if family.type == "counter"}
    assert counters == {
        "nginx_connections_accepted",
        "nginx_connections_handled",
        "nginx_http_requests_total",
    }
    # The encoder prints the sample's name: no _total may have crept in.
    names = {sample.name for family in families for sample in family.samples}
    assert names == {family.name for family in families}


def test_down_is_nginx_up_0_alone() -> None:
    assert _values(nginx_metrics([({"a": "b"}, None)])) == {
        "nginx_up": [({"a": "b"}, 0)]
    }


def test_one_down_beside_one_up() -> None:
    values = _values(nginx_metrics([({"addr": "x"}, STATUS), ({"addr": "y"}, None)]))
    assert values["nginx_up"] == [({"addr": "x"}, 1), ({"addr": "y"}, 0)]
    assert len(values) == 1 + len(NGINX_METRICS)
    assert all(
        values[f"nginx_{name}"] == [({"addr": "x"}, getattr(STATUS, field))]
        for name, _, _, field in NGINX_METRICS
    )


def test_addr_only_with_several_targets() -> None:
    one = parse_targets(["http://u:p@a/"])
    two = parse_targets(["http://u:p@a/", "unix:/s:/x"])
    assert target_labels(one, {"env": "x"}) == [{"env": "x"}]
    assert target_labels(two, {"env": "x", "addr": "mine"}) == [
        {"env": "x", "addr": "http://a/"},
        {"env": "x", "addr": "unix:/s:/x"},
    ]


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([], {}),
        (["a=b"], {"a": "b"}),
        (["a:b"], {"a": "b"}),
        (["a=b=c:d"], {"a": "b=c:d"}),
        (["a=b", "c=d"], {"a": "b", "c": "d"}),
        (["a=b,c=d"], {"a": "b", "c": "d"}),
        (["a=b\nc=d\n"], {"a": "b", "c": "d"}),
        (["a=b,c"], {"a": "b,c"}),
        (["a=b,"], {"a": "b,"}),
        (["a=b,c=d,"], {"a": "b", "c": "d"}),
        (["a=b ,\nc=d ,\n"], {"a": "b", "c": "d"}),
        (["a=1", "a=2"], {"a": "2"}),
        (["a="], {"a": ""}),
    ],
)
def test_const_labels(values: list[str], labels: dict[str, str]) -> None:
    assert const_labels(map(split_const_labels, values)) == labels


@pytest.mark.parametrize("name", ["bad-label", "1a", "", "__name__", "é", "a b"])
def test_label_name_prometheus_refuses(name: str) -> None:
    with pytest.raises(StartError) as caught:
        const_labels([split_const_labels(f"{name}=x")])
    assert str(caught.value).startswith(f"--prometheus.const-label '{name}' is not")


def test_second_label_of_a_list_is_checked_too() -> None:
    with pytest.raises(StartError, match="'bad-label' is not a label name"):
        const_labels([split_const_labels("a=b,bad-label=c")])


def test_label_without_value() -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is checked
        split_const_labels("a")
    assert str(caught.value) == "expected KEY=VALUE got 'a'"
