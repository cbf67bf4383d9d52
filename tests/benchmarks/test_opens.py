"""The node exporter opens few files at each scrape: reading alone is a fifth of that.

Counted by an audit hook in the program itself, which writes a dot for each file.
"""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.process import started
from benchmarks.programs import python_path
from benchmarks.scrape import Connection, first_answer, free_port


SCRAPES = 5
COUNTING = """
import os, runpy, sys
dots = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND)
del sys.argv[1]
sys.addaudithook(lambda event, _: event == "open" and os.write(dots, b"."))
runpy.run_module("exporters.node", run_name="__main__", alter_sys=True)
"""


def test_most_files_are_opened_once(tmp_path: Path) -> None:
    dots, port = tmp_path / "dots", free_port()
    dots.touch()
    listen = f"--web.listen-address=127.0.0.1:{port}"
    command = [sys.executable, "-c", COUNTING, str(dots), listen]
    with started(command, python_path(), tmp_path) as running:
        first_answer(running, port, "/-/healthy")
        opened = []
        with Connection(port) as connection:
            for _ in range(SCRAPES):
                before = dots.stat().st_size
                connection.scrape("gzip")
                opened.append(dots.stat().st_size - before)
    # A mount anywhere on this host has all opened anew: not in every one of them.
    first, *others = opened
    assert min(others) * 3 < first, opened
