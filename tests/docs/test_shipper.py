from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, get_args

import pytest

from docs import cases, families, shipper
from docs.keys import Key, anchor, own_keys, shape
from docs.words import ABOUT, ACTIONS, NOTES
from exporters.toolkit.decode import OneOrMany, Secret
from exporters.toolkit.yaml_records import gathered, record_fields
from shipper.config.duration import GoDuration
from shipper.pipeline.stages import STAGES
from shipper.pipeline.template_functions import REFUSED
from shipper.relabel import Action
from tests.shipper.oracle.test_pipelines import CASES


def test_the_tables_are_what_the_code_says() -> None:
    page = shipper.PAGE.read_text()
    assert page == shipper.rewritten(page), "run python -m docs.shipper"


def test_a_page_without_marks_is_not_touched() -> None:
    with pytest.raises(ValueError, match="config: written by"):
        shipper.rewritten("text")


@dataclass(frozen=True, kw_only=True)
class Inner:
    """What is inside."""


@dataclass(frozen=True, kw_only=True)
class Base:
    below: int = 1
    ACCEPTED: ClassVar[frozenset[str]] = frozenset({"old"})


@dataclass(frozen=True, kw_only=True)
class Outer(Base):
    needed: str
    wait: GoDuration = 90.0
    inner: Inner | None = None
    REFUSED: ClassVar[Mapping[str, str]] = {"gone": "not supported: use inner"}


def test_the_keys_of_a_section() -> None:
    assert list(own_keys(Outer, {Inner: "a.b[]"}, {"Outer.wait": "slow"})) == [
        Key("`needed`", "text", "required", "done"),
        Key("`wait`", "duration", "`1m30s`", "slow"),
        Key("`inner`", "[`b[]`](#ab)", "", "done"),
        Key("`gone`", "", "", "refused: use inner"),
    ]
    assert list(own_keys(Base, {}, {})) == [
        Key("`below`", "whole number", "`1`", "done"),
        Key("`old`", "", "", "accepted, without effect"),
    ]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (str, "text"),
        (bool, "true, false"),
        (Secret, "secret text"),
        (int | None, "whole number"),
        (Literal["", "a", "b"], "`a`, `b`"),
        (tuple[str, ...], "list of text"),
        (Mapping[str, tuple[Secret, ...]], "map of list of secret text"),
        (Annotated[tuple[str, ...], OneOrMany()], "text, or a list"),
        (GoDuration, "duration"),
    ],
)
def test_the_shape_of_a_value(kind: Any, text: str) -> None:
    assert shape(kind) == (text, None)


def test_a_value_nobody_has_words_for() -> None:
    with pytest.raises(TypeError, match="no words for"):
        shape(bytes)


def test_no_key_of_the_file_is_missing() -> None:
    page = shipper.PAGE.read_text()
    for kind, title in shipper.titles().items():
        _, _, rest = page.partition(f"### {title if ' ' in title else f'`{title}`'}\n")
        section = rest.partition("\n### ")[0]
        own = kind.__annotations__.keys()
        named = [key for key in record_fields(kind) if key in own or f"{key}_" in own]
        known = {*vars(kind).get("ACCEPTED", ()), *vars(kind).get("REFUSED", ())}
        for key in {*named, *(known & gathered(kind, "ACCEPTED").keys())}:
            assert f"`{key}`" in section, f"{key} of {title}"


def test_no_stage_is_missing() -> None:
    page = shipper.PAGE.read_text()
    assert [name for name in STAGES if f"`{name}`" not in page] == []


def test_each_word_is_about_something_that_is() -> None:
    keys = {
        f"{kind.__name__}.{name}"
        for kind in shipper.titles()
        for name in record_fields(kind)
    } | {
        f"{stage}.{name}"
        for stage, kind in STAGES.items()
        for name in record_fields(kind)
    }
    assert NOTES.keys() <= keys
    assert ABOUT.keys() <= {kind.__name__ for kind in shipper.titles()}
    assert ACTIONS.keys() == set(get_args(Action))


def test_every_difference_of_a_test_is_listed() -> None:
    found = list(cases.found(CASES.parent))
    assert {one.about for one in found} >= {"configuration", "`multiline`"}
    assert all(
        one.reason in " ".join(shipper.PAGE.read_text().split()) for one in found
    )


def test_functions_that_templates_cannot_call() -> None:
    page = shipper.PAGE.read_text()
    assert [name for name in REFUSED if f"`{name}`" not in page] == []


@pytest.mark.parametrize(
    ("name", "type_", "labels", "origin"),
    [
        ("promtail_dropped_bytes_total", "counter", ("host", "tenant", "reason"),
         "promtail"),
        ("promtail_read_bytes_total", "gauge", ("path",), "promtail"),
        ("request_duration_seconds", "histogram",
         ("method", "route", "status_code", "ws"), "promtail"),
        ("shipper_lag_seconds", "gauge", ("job", "kind", "name"), "ours"),
        ("shipper_custom_metrics_folded_lines_total", "counter", ("metric",), "ours"),
        ("promhttp_metric_handler_requests_total", "counter", ("code",), "promtail"),
    ],
)  # fmt: skip
def test_metrics(name: str, type_: str, labels: tuple[str, ...], origin: str) -> None:
    (found,) = [one for one in families.all_families() if one.name == name]
    assert (found.type, found.labels, found.origin) == (type_, labels, origin)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("The metrics", "the-metrics"),
        ("clients[].tls_config", "clientstls_config"),
        ("python -m shipper", "python--m-shipper"),
    ],
)
def test_anchor(title: str, name: str) -> None:
    assert anchor(title) == name
