from __future__ import annotations

import pytest

from shipper.files.glob import GlobError
from shipper.files.meters import NoMeters
from shipper.files.target import StaticConfig, Target, build


def keep(labels: dict[str, str]) -> dict[str, str] | None:
    return None if labels.get("drop") else {**labels, "rule": labels["__path__"]}


def test_labels() -> None:
    config = StaticConfig(
        ["localhost"],
        {"job": "x", "empty": "", "__path__": "/a/*", "__other__": "y"},
    )
    (target,) = build([config], keep, "me", NoMeters())
    assert target.labels == {"job": "x", "rule": "/a/*"}
    assert target.discovered["__address__"] == "localhost"
    assert target.exclude is None
    assert target.stream("/a/b") == (
        ("filename", "/a/b"),
        ("job", "x"),
        ("rule", "/a/*"),
    )


def test_filename_is_the_files() -> None:
    config = StaticConfig([], {"filename": "mine", "__path__": "/a"})
    (target,) = build([config], keep, "me", NoMeters())
    assert dict(target.stream("/a"))["filename"] == "/a"


@pytest.mark.parametrize(
    ("labels", "reasons", "count"),
    [
        ({"__path__": "/a"}, [], 1),
        ({"__path__": "/a", "drop": "y"}, ["dropped"], 0),
        ({"__path__": "/a", "__host__": "me"}, [], 1),
        ({"__path__": "/a", "__host__": "you"}, ["wrong_host"], 0),
        ({"__path__": ""}, ["no_path"], 0),
    ],
)
def test_what_cannot_be_used_is_counted(
    labels: dict[str, str], reasons: list[str], count: int
) -> None:
    failed: list[str] = []

    class Failed(NoMeters):
        def targets_failed(self, reason: str) -> None:
            failed.append(reason)

    targets = build([StaticConfig(["localhost"], labels)], keep, "me", Failed())
    assert (len(targets), failed) == (count, reasons)


def test_the_same_target_twice_is_one() -> None:
    config = StaticConfig(["a", "b"], {"__path__": "/a"})
    assert len(build([config, config], keep, "me", NoMeters())) == 1


def test_the_key_is_of_the_labels() -> None:
    def target(**labels: str) -> Target:
        config = StaticConfig([], {"__path__": "/a", **labels})
        return build([config], lambda found: found, "me", NoMeters())[0]

    assert target(a="1").key == target(a="1", __path__="/b").key
    assert target(a="1").key != target(a="2").key


def test_no_pattern() -> None:
    with pytest.raises(GlobError, match="/a\\["):
        build([StaticConfig([], {"__path__": "/a["})], keep, "me", NoMeters())
