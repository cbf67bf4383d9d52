"""labeldrop, labelallow, static_labels: what they leave of the labels."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from exporters.toolkit.decode import DecodeError
from tests.shipper.pipeline.conftest import Rig


LABELS = {"job": "t", "env": "x", "empty": ""}


@pytest.mark.parametrize(
    ("stage", "labels"),
    [
        ("labeldrop: [env, absent]", {"job": "t", "empty": ""}),
        ("labeldrop: [job, env, empty]", {}),
        ("labeldrop: ['.*']", LABELS),
        ("labelallow: [env, absent]", {"env": "x"}),
        ("labelallow: [absent]", {}),
        ("static_labels: {env: y, new: z}", {**LABELS, "env": "y", "new": "z"}),
        ("static_labels: {env: , new: ''}", LABELS),
        ("static_labels: {}", LABELS),
        ("static_labels: {n: 1.50}", {**LABELS, "n": "1.50"}),
    ],
)
def test_labels(rig: Callable[..., Rig], stage: str, labels: dict[str, str]) -> None:
    [out] = rig(f"- {stage}").feed("line", LABELS)
    assert out.labels == labels
    assert out.line == "line"
    assert {k: out.extracted[k] for k in LABELS} == LABELS, "extracted values stay"


def test_the_labels_of_one_line_are_not_those_of_the_next(
    rig: Callable[..., Rig],
) -> None:
    stages = rig("- static_labels: {env: y}\n- labelallow: [env]\n- labeldrop: [env]")
    first, second = dict(LABELS), dict(LABELS)
    stages.feed("a", first)
    stages.feed("b", second)
    assert first == second == LABELS


@pytest.mark.parametrize(
    ("stage", "error"),
    [
        ("labeldrop:", "labeldrop stage config cannot be empty"),
        ("labeldrop: []", "labeldrop stage config cannot be empty"),
        ("labelallow: []", "labelallow stage config cannot be empty"),
        ("labelallow: job", "cannot unmarshal"),
        ('static_labels: {"a-b": c}', "config.yaml:2:28: invalid label name: a-b"),
        ("static_labels: {a: [1]}", "cannot unmarshal"),
    ],
)
def test_refused(rig: Callable[..., Rig], stage: str, error: str) -> None:
    with pytest.raises(DecodeError, match=error):
        rig(f"- {stage}")
