"""The examples of docs/logs.md, run as they are written."""

from __future__ import annotations

import asyncio
import io
import re
import shlex
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from shipper.logs.cli import main
from tests.shipper.logs.conftest import SECOND, Store


PAGE = Path(__file__).parents[2] / "docs" / "logs.md"
DAY = "2026-01-31T"
# The page speaks of the last hour: it is that of the lines.
THEN = ("--from", f"{DAY}11:30:00Z", "--to", f"{DAY}12:00:10Z", "--utc")
COMMAND = "$ python -m shipper logs "


def _lines() -> Iterator[tuple[int, str, str]]:
    text = PAGE.read_text().partition("<!-- lines of the examples -->")[2]
    for line in text.split("```")[1].strip().splitlines():
        clock, container, words = line.split(maxsplit=2)
        at = datetime.fromisoformat(f"{DAY}{clock}+00:00")
        yield int(at.timestamp()) * SECOND, container, words


def _examples() -> Iterator[tuple[str, str]]:
    for block in re.findall(r"```console\n(.*?)```", PAGE.read_text(), re.DOTALL):
        for example in block.split(COMMAND)[1:]:
            command, _, shown = example.partition("\n")
            yield command, shown


async def test_every_example_shows_what_it_says(tmp_path: Path) -> None:
    store = Store(tmp_path)
    lines = list(_lines())
    store.clock = lambda: lines[-1][0] + SECOND
    await store.start(levels=True)
    for time_ns, container, text in lines:
        labels = {"job": "docker", "container_name": container}
        await store.push([(time_ns, text)], labels)
    examples = list(_examples())
    shown = [await _run(store, command) for command, _ in examples]
    await store.stop()
    assert len(examples) > 5
    assert dict(zip(examples, shown, strict=True)) == {one: one[1] for one in examples}


async def _run(store: Store, command: str) -> str:
    out, err = io.StringIO(), io.StringIO()
    argv = [*shlex.split(command), *THEN]
    await asyncio.to_thread(main, argv, {"LOKI_ADDR": store.address}, out, err)
    return err.getvalue() + out.getvalue()
