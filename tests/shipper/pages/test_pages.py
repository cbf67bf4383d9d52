from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

import pytest

from shipper.pages.discovery import discovery_page
from shipper.pages.document import HEADERS, Frame
from shipper.pages.plain import wants_json
from shipper.pages.state import jobs_of
from shipper.pages.targets import lag_text, targets_page
from shipper.source import Target


BOTH = {
    "stdout": (("app", "web"), ("stream", "stdout")),
    "stderr": (("app", "web"), ("stream", "stderr")),
}


def page(*targets: Target, **frame: Any) -> str:
    return targets_page(jobs_of(targets), Frame(**frame))


def text(markup: str) -> str:
    body = markup.partition("<main>")[2].partition("<script>")[0]
    return " ".join(re.sub("<[^>]+>", " ", body).split())


def web(**more: Any) -> Target:
    return Target(job="j", kind="docker", name="web", **{"streams": BOTH, **more})


def test_labels_that_streams_share_are_shown_once() -> None:
    shown = text(page(web()))
    assert shown.count("app= web") == 1
    assert "stream= stderr stream= stdout" in shown


def test_a_stream_no_label_names_keeps_its_name() -> None:
    streams = {"a.log": (("n", "1"),), "b.log": (("n", "2"),)}
    assert "a.log n= 1 b.log n= 2" in text(page(web(streams=streams)))


def test_what_the_rules_drop_is_apart() -> None:
    shown = text(page(web(), Target(job="j", kind="docker", name="noise")))
    assert "1 of 1 ok, 1 target dropped by the rules" in shown
    assert shown.index("web") < shown.index("1 target dropped by relabel_configs")
    assert shown.index("relabel_configs") < shown.index("noise")


def test_many_dropped_targets_do_not_fill_the_page() -> None:
    dropped = [Target(job="j", kind="docker", name=f"n{n}") for n in range(250)]
    found = jobs_of([web(), *dropped])
    for shown in (targets_page(found, Frame()), discovery_page(found, Frame())):
        assert shown.count('<tr data-state="dropped"') == 100
    assert "250 targets dropped by relabel_configs (100 shown)" in text(page(*dropped))


def test_nothing_at_all() -> None:
    assert "Nothing is read" in text(page())
    assert "Nothing here yet." in text(discovery_page([], Frame()))


def test_errors_lag_and_details() -> None:
    shown = text(page(web(error="lost", lag_seconds=150.0, details={"id": "12"})))
    assert "2 min lost id 12" in shown
    secret = page(web(error="http://u:hunter2@h", details={"x": "http://u:hunter2@h"}))
    assert "hunter2" not in secret


def test_why_it_is_not_ready_is_on_every_page() -> None:
    assert ">Ready<" in page()
    shown = page(reason="Loki is away")
    assert ">Not ready<" in shown
    assert 'role="alert">Loki is away<' in shown


def test_the_policy_names_what_is_in_the_page() -> None:
    shown = page(web())
    policy = HEADERS["Content-Security-Policy"]
    for kind in ("style", "script"):
        (inner,) = re.findall(f"<{kind}>(.*?)</{kind}>", shown, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inner.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(None, "–"), (0.0, "0 s"), (0.6, "1 s"), (119.0, "119 s"), (120.0, "2 min"),
     (7199.0, "119 min"), (7200.0, "2 h"), (200000.0, "2 d"), (-3.0, "0 s")],
)  # fmt: skip
def test_lags(seconds: float | None, shown: str) -> None:
    assert lag_text(seconds) == shown


@pytest.mark.parametrize(
    ("accept", "query", "wanted"),
    [
        ("application/json", {}, True),
        ("application/json;q=0.9, */*;q=0.1", {}, True),
        ("text/html,application/json", {}, False),
        ("*/*", {}, False),
        ("", {}, False),
        ("text/html", {"format": "json"}, True),
        ("", {"format": "xml"}, False),
    ],
)
def test_who_gets_json(accept: str, query: dict[str, str], wanted: bool) -> None:
    assert wants_json(accept, query) is wanted
