"""detected_level; test_contract.py asks a real Loki about the same lines."""

from __future__ import annotations

from typing import Final

import pytest

from shipper.pipeline.entry import Entry, Metadata
from shipper.store.levels import level_of, with_levels
from tests.store.conftest import NOW, SECOND, Open


LEVELS: Final = {
    "info here": "info",
    "Info here": "unknown",
    "an error, no information": "info",
    "GET /info": "info",
    "ERR: x": "error",
    "ERR x": "unknown",
    "an error": "error",
    "an Error": "unknown",
    "warn x": "unknown",
    "warn: x": "warn",
    "a warning after an error": "error",
    "critical": "unknown",
    "CRITICAL: x": "critical",
    "FATAL: x": "unknown",
    "debug: x": "debug",
    "trace: x": "unknown",
    "": "unknown",
    "2024/01/01 00:00:00 [error] 7#7: *1 open() failed": "error",
    "2024/01/01 00:00:00 [crit] 7#7: *1 connect() failed": "unknown",
    "2024/01/01 00:00:00 [notice] 1#1: start": "unknown",
    "[01-Jan-2024 00:00:00] WARNING: [pool www] child 5 exited": "warn",
    "NOTICE: PHP message: PHP Fatal error:  Uncaught Error": "error",
    "2024-01-01T00:00:00.000000Z 0 [Warning] [MY-010068] [Server] CA": "unknown",
    'level=info msg="an error"': "info",
    "ts=1 LeVeL=WRN": "warn",
    "level=dbg": "debug",
    "level=trc": "trace",
    "level=notice msg=x": "unknown",
    "level=notice msg=error": "error",
    "lvl=warn severity=debug": "debug",
    "severity=warn level=debug": "debug",
    'lvl=warn msg="open level=fatal': "warn",
    "=bad level=fatal": "unknown",
    "xlevel=fatal": "unknown",
    'level="fatal"': "fatal",
    '{"level":"info","msg":"an error"}': "info",
    ' {"msg": "x", "level" : "WARNING"} ': "warn",
    '{"lEvel":"fatal"}': "unknown",
    '{"severity":"warning","level":"debug"}': "debug",
    '{"lvl":"dbg","SEVERITY":"fatal"}': "fatal",
    '{"level":"fatal","level":"debug"}': "fatal",
    '{"log":{"level":"fatal"}}': "unknown",
    '{"log":{"level":"error"}}': "error",
    '{"level":{"a":"fatal"}}': "unknown",
    '{"level":30,"msg":"error"}': "error",
    '{"level":null}': "unknown",
    '{"level":"critical",}': "critical",
    '{"level":"fatal"': "unknown",
    '{"a":1}{"level":"fatal"}': "unknown",
    '{"status": 500, "uri": "/x?level=fatal"}': "unknown",
}


@pytest.mark.parametrize(("line", "level"), LEVELS.items())
def test_the_level_of_a_line(line: str, level: str) -> None:
    assert level_of(line.encode()) == level


def test_a_long_line_is_not_read_to_its_end() -> None:
    assert level_of(b"a=b " * 50_000 + b"level=fatal") == "unknown"
    assert level_of(b'{"level": "\xff", "a": ' + b"[" * 200_000 + b"}") == "unknown"


@pytest.mark.parametrize(
    ("labels", "metadata", "level"),
    [
        ({}, {"trace": "1"}, "error"),
        ({"level": "Odd"}, {"level": "warn"}, "Odd"),
        ({"lvl": "a", "Severity": "b"}, {}, "b"),
        ({"detected_level": "x"}, {}, "error"),
        ({}, {"LEVEL": "WARN"}, "WARN"),
        ({}, {"severity_number": "9"}, "info"),
        ({}, {"severity_number": "24"}, "fatal"),
        ({}, {"severity_number": "25"}, "unknown"),
        ({}, {"severity_number": "0"}, "unknown"),
        ({}, {"severity_number": "-3"}, "trace"),
        ({}, {"severity_number": "x"}, "info"),
        ({}, {"severity_number": ""}, "error"),
        ({}, {"severity_number": "9", "level": "warn"}, "warn"),
    ],
)
def test_labels_and_metadata_come_before_the_line(
    labels: dict[str, str], metadata: dict[str, str], level: str
) -> None:
    pairs: Metadata = tuple(metadata.items())
    (entry,) = with_levels(tuple(labels.items()), [Entry(1, b"an error", pairs)])
    assert entry == Entry(1, b"an error", (*pairs, ("detected_level", level)))


def test_an_empty_level_is_none() -> None:
    entry = Entry(1, b"an error", (("level", ""),))
    assert with_levels((), [entry]) == [entry]


async def test_explore_shows_lines_by_level(opened: Open) -> None:
    async with opened(discover_log_levels=True) as store:
        lines = [(NOW - n, text) for n, text in enumerate(("error", "info", "x", "y"))]
        assert await store.push(lines) == (204, "")
        volume = (
            'sum by (level, detected_level) (count_over_time({container="c"} '
            "| drop __error__ [1m]))"
        )
        data = await store.data("query", query=volume, time=NOW + SECOND)
        assert {
            series["metric"]["detected_level"]: series["value"][1]
            for series in data["result"]
        } == {"error": "1", "info": "1", "unknown": "2"}
        found = await store.lines('{container="c"} | detected_level="error"')
        assert found == [(NOW, "error")]


@pytest.mark.parametrize("off", ["discover_log_levels", "allow_structured_metadata"])
async def test_no_levels_where_they_are_not_wanted(opened: Open, off: str) -> None:
    async with opened(**{"discover_log_levels": True, off: False}) as store:
        assert await store.push([(NOW, "an error")]) == (204, "")
        bounds = {"start": NOW, "end": NOW + SECOND}
        data = await store.data("query_range", query='{container="c"}', **bounds)
        labels = {"container": "c", "service_name": "c"}
        assert [stream["stream"] for stream in data["result"]] == [labels]
