from __future__ import annotations

import pytest

from shipper.files.meters import NoMeters
from shipper.files.target import Builder, Dropped, StaticConfig, Target


def keep(labels: dict[str, str]) -> dict[str, str] | None:
    return None if labels.get("drop") else {**labels, "rule": labels["__path__"]}


def test_labels() -> None:
    config = StaticConfig(
        ["localhost"],
        {"job": "x", "empty": "", "__path__": "/a/*", "__other__": "y"},
    )
    (target,) = Builder(keep, "me", NoMeters()).build([config])
    assert target.labels == {"job": "x", "rule": "/a/*"}
    assert target.discovered["__address__"] == "localhost"
    assert target.exclude is None
    assert target.stream("/a/b") == (
        ("filename", "/a/b"),
        ("job", "x"),
        ("rule", "/a/*"),
    )


def test_filename_is_the_files() -> None:
    config = StaticConfig(["x"], {"filename": "mine", "__path__": "/a"})
    (target,) = Builder(keep, "me", NoMeters()).build([config])
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

    targets = Builder(keep, "me", Failed()).build([StaticConfig(["x"], labels)])
    assert (len(targets), failed) == (count, reasons)


def test_the_same_target_twice_is_one() -> None:
    config = StaticConfig(["a", "b"], {"__path__": "/a"})
    builder = Builder(keep, "me", NoMeters())
    assert len(builder.build([config, config])) == 1
    assert [dropped.reason for dropped in builder.dropped] == ["exists"] * 3


def test_the_key_is_of_the_labels() -> None:
    def target(**labels: str) -> Target:
        config = StaticConfig(["x"], {"__path__": "/a", **labels})
        return Builder(lambda found: found, "me", NoMeters()).build([config])[0]

    assert target(a="1").key == target(a="1", __path__="/b").key
    assert target(a="1").key != target(a="2").key


def test_no_pattern_ends_no_other_target(caplog: pytest.LogCaptureFixture) -> None:
    bad, good = ({"__path__": path} for path in ("/a[", "/b"))
    builder = Builder(keep, "me", NoMeters())
    targets = builder.build([StaticConfig(["x"], bad), StaticConfig(["x"], good)])
    assert [target.include.pattern for target in targets] == ["/b"]
    assert builder.dropped == [Dropped({**bad, "__address__": "x"}, "error")]
    assert "a '[' without its ']'" in caplog.text


def test_a_group_without_targets_has_none() -> None:
    builder = Builder(keep, "me", NoMeters())
    assert builder.build([StaticConfig([], {"__path__": "/a"})]) == []
