from __future__ import annotations

import io

import pytest

from shipper.loki.dry_run import Printer, format_entry
from shipper.pipeline.entry import Entry

from .conftest import Journal


LABELS = (("a", "b"),)


@pytest.mark.parametrize(
    ("timestamp_ns", "text"),
    [
        (1_795_359_600_000_000_000, "2026-11-22T15:00:00+0000"),
        (1_795_359_600_120_000_000, "2026-11-22T15:00:00.12+0000"),
        (1_795_359_600_000_000_001, "2026-11-22T15:00:00.000000001+0000"),
    ],
)
def test_time_as_go_prints_it(timestamp_ns: int, text: str) -> None:
    entry = Entry(timestamp_ns, b"hi \xff")
    assert format_entry(LABELS, entry) == f'{text}\t{{a="b"}}\thi \ufffd'


async def test_prints_and_acknowledges() -> None:
    out, cursor, entry = io.StringIO(), Journal(), Entry(0, b"x")
    await Printer(out).put(LABELS, entry, cursor)
    assert out.getvalue() == '1970-01-01T00:00:00+0000\t{a="b"}\tx\n'
    assert cursor.acknowledged == [entry]
