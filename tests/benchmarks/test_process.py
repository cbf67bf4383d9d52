"""What the kernel is asked about a process, and how programs are ended."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.process import (
    BenchmarkError,
    Memory,
    cpu_seconds,
    last_lines,
    memory,
    parse_rollup,
    started,
    tree,
)
from benchmarks.scrape import first_answer, free_port


ROLLUP = b"""55ba22994000-7fff3bf7c000 ---p 00000000 00:00 0                  [rollup]
Rss:                1672 kB
Pss:                 283 kB
Anonymous:           116 kB
"""


def test_rollup_in_bytes() -> None:
    assert parse_rollup(ROLLUP) == Memory(1672 * 1024, 116 * 1024)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "expected b'Rss:'"),
        (ROLLUP.replace(b"Anonymous", b"Lazy"), "expected b'Anonymous:'"),
        (ROLLUP.replace(b"1672 kB", b"1672"), "expected 'Name: N kB'"),
        (ROLLUP.replace(b"1672 kB", b"much kB"), "invalid literal"),
    ],
)
def test_rollup_of_another_kind(data: bytes, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_rollup(data)


def test_tree_has_every_descendant_once() -> None:
    family = {1: (2, 3), 2: (4,), 3: (), 4: (5,), 5: ()}
    assert tree(1, family.__getitem__) == (1, 2, 3, 4, 5)


def test_child_and_its_cost_are_seen() -> None:
    code = "import sys; ask = sys.stdin.readline; print(); ask()"
    spin = "sum(range(3_000_000)); print(); ask()"
    with subprocess.Popen(
        [sys.executable, "-u", "-c", f"{code}; {spin}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdout.readline()
        own = time.process_time()
        before = cpu_seconds(child.pid)
        child.stdin.write(b"\n")
        child.stdout.readline()
        after = cpu_seconds(child.pid)
        assert 0.001 < after - before < 60  # seconds, not ticks or nanoseconds
        assert child.pid in tree(os.getpid())
        # The child is in the sum of this process.
        assert cpu_seconds(os.getpid()) >= own + after
        assert memory(child.pid).rss > memory(child.pid).anonymous > 0
        child.stdin.write(b"\n")


def test_a_program_that_ends_says_what_it_wrote(tmp_path: Path) -> None:
    code = "import sys; print('one'); sys.exit('no such flag')"
    with (
        started([sys.executable, "-c", code], {}, tmp_path) as running,
        pytest.raises(BenchmarkError, match=r"ended with 1: .*no such flag"),
    ):
        first_answer(running, free_port())


def test_only_what_was_started_is_ended(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    with (
        started(command, {}, tmp_path) as kept,
        started(command, {}, tmp_path) as ended,
    ):
        ended.process.terminate()
        ended.process.wait()
        assert kept.process.poll() is None
        kept.check()
    assert kept.process.returncode == -15


def test_last_lines() -> None:
    assert last_lines("a\nb\nc\nd\n") == "b | c | d"
    assert last_lines("") == "it wrote nothing"
