"""-stdin, -dry-run and -inspect: what both programs print of the same input.

Both are run as programs. promtail aligns what it prints, so that a tab may be missing:
there are none in the lines. It may lose what it has in hand when the input ends: so the
input stays open for a moment, and a last line without a newline need not come.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest

from .conftest import Recorder, Shipped, labels_of, promtail_path, recorder


pytestmark = pytest.mark.oracle

OPEN_SECONDS = 0.7
OURS = (sys.executable, "-m", "shipper")
ROOT = Path(__file__).parents[3]
_PRINTED = re.compile(
    rb'([-0-9T:.]+[-+]\d{4})\t*(\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\})\t?(.*)'
)


class Printed(NamedTuple):
    """One line of a dry run; *at* is what a stage set, else "now"."""

    at: str
    labels: bytes
    line: bytes


@dataclass(frozen=True)
class Case:
    """A config without its head, the input, and flags."""

    name: str
    config: str = "scrape_configs: []"
    data: bytes = b"one\ntwo\n"
    flags: tuple[str, ...] = ()
    client: str = ""
    """More keys of the client."""
    may_lose_last: bool = False
    """Whether promtail may lose the last line."""
    differs: str = ""


@dataclass
class Ran:
    """What a run gave: its exit code and its two outputs."""

    code: int
    out: bytes
    err: bytes

    def printed(self) -> list[Printed]:
        """Return the entries; the block of clients in front of them is left out."""
        matches = map(_PRINTED.fullmatch, self.out.split(b"\n"))
        return [Printed(self._at(m[1]), m[2], m[3]) for m in matches if m]

    def _at(self, text: bytes) -> str:
        stamp = text.decode()
        return (
            "now" if stamp[:10] == time.strftime("%Y-%m-%d", time.gmtime()) else stamp
        )


JOB = (
    "scrape_configs:\n- job_name: piped\n  static_configs: [{labels: {job: t, a: b}}]\n"
)
STAGES = """
scrape_configs:
- job_name: piped
  static_configs: [{labels: {job: t}}]
  pipeline_stages:
  - regex: {expression: '^(?P<at>\\S+) (?P<level>\\w+) (?P<text>.*)$'}
  - timestamp: {source: at, format: RFC3339Nano}
  - labels: {level: }
  - template: {source: text, template: '{{ .Value | ToUpper }}!'}
  - output: {source: text}
"""
CASES = [
    Case("no job"),
    Case("one job", JOB),
    Case("two jobs", JOB + "- job_name: other\n  static_configs: [{labels: {c: d}}]\n"),
    Case(
        "two sets of labels",
        "scrape_configs: [{job_name: a, static_configs: "
        "[{labels: {b: '1', c: '2'}}, {targets: [x], labels: {c: '3', d: '4'}}]}]",
    ),
    Case(
        "a job that reads something else",
        "scrape_configs: [{job_name: a, docker_sd_configs: [{host: 'unix:///nope'}], "
        "relabel_configs: [{target_label: x, replacement: y}]}]",
    ),
    Case(
        "rules do not count",
        JOB + "  relabel_configs: [{action: drop, source_labels: [job]}]\n",
    ),
    Case(
        "a path",
        "scrape_configs: [{job_name: a, "
        "static_configs: [{labels: {job: a, __path__: /nope}}]}]",
        differs="ours leaves labels that begin with two underscores off, as elsewhere",
    ),
    Case("no newline at the end", JOB, b"one\ntwo", may_lose_last=True),
    Case("nothing", JOB, b""),
    Case("nothing but newlines", JOB, b"\n\r\n\n"),
    Case("empty lines between", JOB, b"\n\none\n\n\ntwo\n\n"),
    Case("carriage returns", JOB, b"one\r\nth\rree\r\n\rfour\r\n\r\n"),
    Case("several carriage returns", JOB, b"one\r\r\n\r\r\ntwo\n"),
    Case("spaces", JOB, b"  two  \n \n"),
    Case("unicode and what is none", JOB, "ä → 日本\n".encode() + b"\xff\xfe bytes\n"),
    Case("a zero byte", JOB, b"a\0b\n"),
    Case("long lines", JOB, b"x" * 9000 + b"\n" + b"y" * 200_000 + b"\nshort\n"),
    Case("many lines", JOB, b"".join(b"line %d\n" % n for n in range(5000))),
    Case(
        "stages", STAGES,
        b"2024-01-02T03:04:05.678Z info all is well\nno match\n"
        b"2024-01-02T03:04:06Z warn a b\n",
    ),
    Case(
        "stages that drop",
        JOB + "  pipeline_stages:\n  - drop: {expression: '^#'}\n"
        "  - match: {selector: '{job=\"t\"} |= \"secret\"', action: drop}\n",
        b"# comment\nsecret\nkept\n",
    ),
    Case(
        "a stage that packs",
        JOB + "  pipeline_stages: [{pack: {labels: [a], ingest_timestamp: false}}]\n",
    ),
    Case(
        "a stage that gathers lines",
        JOB + "  pipeline_stages:\n"
        "  - multiline: {firstline: '^-', max_wait_time: 200ms}\n",
        b"- a\nb\n- c\n",
    ),
    Case(
        "a label with quotes",
        "scrape_configs: [{job_name: a, static_configs: "
        "[{labels: {q: 'say \"hi\\n\"', u: 'ä'}}]}]",
    ),
    Case("external labels", JOB, client="external_labels: {cluster: c, a: outside}"),
    Case(
        "external labels by a flag", JOB,
        flags=("-client.external-labels=cluster=c,a=outside",),
    ),
    Case("a tenant", JOB, client="tenant_id: t1"),
    Case(
        "a limit of lines", JOB + "limits_config: {max_line_size: 4}\n", b"12345\n123\n"
    ),
]  # fmt: skip


def config(case: Case, folder: Path, url: str = "http://127.0.0.1:1/push") -> Path:
    path = folder / "promtail.yaml"
    more = f", {case.client}" if case.client else ""
    path.write_text(
        "server: {disable: true}\n"
        f"positions: {{filename: {folder}/positions.yaml}}\n"
        f"clients: [{{url: '{url}', batchwait: 100ms{more}}}]\n{case.config}\n"
    )
    return path


async def run(program: tuple[str, ...], data: bytes, *flags: str) -> Ran:
    """Pipe *data* into *program*, and close the pipe a moment later."""
    process = await asyncio.create_subprocess_exec(
        *program,
        *flags,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    assert process.stdin is not None

    async def feed(stdin: asyncio.StreamWriter) -> None:
        stdin.write(data)
        await stdin.drain()
        await asyncio.sleep(OPEN_SECONDS)
        stdin.close()

    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        assert process.stdout is not None
        assert process.stderr is not None
        out = group.create_task(process.stdout.read())
        err = group.create_task(process.stderr.read())
        group.create_task(feed(process.stdin))
    return Ran(await process.wait(), out.result(), err.result())


def theirs() -> tuple[str, ...]:
    path = promtail_path()
    if path is None:
        pytest.skip("PROMTAIL names no promtail to compare with")
    return (path,)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_dry_run(case: Case, tmp_path: Path) -> None:
    flags = (f"-config.file={config(case, tmp_path)}", "-stdin", "-dry-run")
    async with asyncio.TaskGroup() as group:
        a = group.create_task(run(OURS, case.data, *flags, *case.flags))
        b = group.create_task(run(theirs(), case.data, *flags, *case.flags))
    mine, other = a.result(), b.result()
    assert mine.code == other.code == 0, mine.err.decode() + other.err.decode()
    assert b"Traceback" not in mine.err
    found, expected = mine.printed(), other.printed()
    if case.may_lose_last and len(expected) < len(found):
        del found[-1]
    if case.differs:
        assert found != expected, "no longer a difference"
    else:
        assert found == expected


def _sent(loki: Recorder, begun: float) -> Counter[Shipped]:
    """Return what came, moments of reading as 0."""
    return Counter(
        e._replace(timestamp_ns=0 if e.timestamp_ns > begun * 1e9 else e.timestamp_ns)
        for e in loki.entries
    )


SENT = [
    case
    for case in CASES
    if case.name in {"no job", "stages", "external labels", "a tenant", "many lines"}
]


@pytest.mark.parametrize("case", SENT, ids=lambda case: case.name)
async def test_sent_to_loki(case: Case, tmp_path: Path) -> None:
    """At the end of the input both have sent everything, and end."""
    begun = time.time()
    found = []
    for program in (OURS, theirs()):
        async with recorder() as loki:
            flag = f"-config.file={config(case, tmp_path, loki.url)}"
            ran = await run(program, case.data, flag, "-stdin")
            assert ran.code == 0, ran.err.decode()
            found.append(_sent(loki, begun))
    assert found[0] == found[1]
    assert found[0].total() == len(case.data.splitlines())


INSPECTED = """
scrape_configs:
- job_name: piped
  static_configs: [{labels: {job: t, extra: e}}]
  pipeline_stages:
  - regex: {expression: '^(?P<at>\\S+) (?P<level>\\w+) (?P<text>.*)$'}
  - labels: {level: , renamed: text}
  - timestamp: {source: at, format: RFC3339}
  - logfmt: {mapping: {k: }}
  - template: {source: new, template: '<{{ .level }}>'}
  - replace: {expression: '(secret)', replace: '***'}
  - labeldrop: [extra]
  - labelallow: [job, level]
  - tenant: {source: level}
  - static_labels: {fixed: v}
  - output: {source: new}
"""


class Change(NamedTuple):
    """What a stage did to one thing; labels one by one."""

    stage: str
    path: str
    before: str | None
    after: str | None


_HEADING = re.compile(r"\[inspect: (\w+) stage\]: (.*)")


def changes(text: str) -> Iterator[Change]:
    """Read what -inspect printed. A stage without changes gives one of "none".

    promtail shows all labels before and after, under ``Entry.Labels``, and the other
    fields under ``Entry.Entry``.
    """
    stage = path = ""
    before: str | None = None
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if heading := _HEADING.fullmatch(line):
            stage = heading[1]
            if heading[2]:
                yield Change(stage, heading[2], None, None)
        elif line.startswith("{stages.Entry}.") and line.endswith(":"):
            path, before = line[:-1].replace("Entry.Entry.", "Entry."), None
        elif line.startswith("\t-: "):
            before = line[4:].strip()
            if not lines[number + 1].startswith("\t+: "):
                yield from _split(Change(stage, path, before, None))
        elif line.startswith("\t+: "):
            yield from _split(Change(stage, path, before, line[4:].strip()))


def _split(change: Change) -> Iterator[Change]:
    if not change.path.endswith("Entry.Labels"):
        if change.path.endswith("Timestamp") and change.before is not None:
            change = change._replace(before="now")
        yield change
        return
    before, after = (
        dict(labels_of(change.before or "")),
        dict(labels_of(change.after or "")),
    )
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            path = f'{change.path}["{name}"]'
            yield Change(change.stage, path, before.get(name), after.get(name))


async def test_inspect(tmp_path: Path) -> None:
    data = b"2024-01-02T03:04:05Z info a secret k=v\nno match\n"
    data += b"2024-01-02T03:04:06Z warn again k=\n"
    case = Case("inspected", INSPECTED)
    flags = (f"-config.file={config(case, tmp_path)}", "-stdin", "-dry-run", "-inspect")
    mine = Counter(changes((await run(OURS, data, *flags)).err.decode()))
    other = Counter(changes((await run(theirs(), data, *flags)).err.decode()))
    assert mine == other
    assert len({change.stage for change in mine}) == 11
