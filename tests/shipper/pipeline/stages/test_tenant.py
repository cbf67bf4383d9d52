from __future__ import annotations

from collections.abc import Callable

import pytest

from exporters.toolkit.decode import DecodeError
from shipper.loki.outlet import TENANT_LABEL as OUTLET_LABEL
from shipper.pipeline.stages.tenant import TENANT_LABEL
from tests.shipper.pipeline.conftest import Rig


@pytest.mark.parametrize(
    ("stage", "tenant"),
    [
        ("{value: a}", "a"),
        ("{label: job}", "test"),
        ("{label: absent}", None),
        ("{source: word}", "hello"),
        ("{source: absent}", None),
        ("{source: empty}", None),
    ],
)
def test_where_the_tenant_comes_from(
    rig: Callable[..., Rig], stage: str, tenant: str | None
) -> None:
    regex = r"- regex: {expression: '(?P<word>\w+)(?P<empty>)'}"
    stages = rig(f"{regex}\n- tenant: {stage}")
    [out] = stages.feed("hello")
    assert out.labels.get(TENANT_LABEL) == tenant


def test_what_is_empty_leaves_the_tenant_before(rig: Callable[..., Rig]) -> None:
    [out] = rig("- tenant: {value: a}\n- tenant: {label: absent}").feed("x")
    assert out.labels == {"job": "test", TENANT_LABEL: "a"}


def test_the_sender_knows_the_label_by_the_same_name() -> None:
    assert TENANT_LABEL == OUTLET_LABEL


@pytest.mark.parametrize(
    ("stage", "error"),
    [
        ("", "label, source or value config are required"),
        ("{value: ''}", "label, source or value config are required"),
        ("{value: a, label: b}", "mutually exclusive"),
        ("{source: a, label: b, value: c}", "mutually exclusive"),
    ],
)
def test_refused(rig: Callable[..., Rig], stage: str, error: str) -> None:
    with pytest.raises(DecodeError, match=error):
        rig(f"- tenant: {stage}")
