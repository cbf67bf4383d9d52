from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from exporters.node.collectors import processes
from tests.node.hosts import collect


STAT = "{pid} ({name}) {state}" + " 0" * 16 + " {threads} 0 99"
LIMITS = "proc/sys/kernel/threads-max: 100\nproc/sys/kernel/pid_max: 200\n"


def stat(path: str, state: str, threads: int = 1, name: str = "sh") -> str:
    line = STAT.format(
        pid=path.rpartition("/")[2], name=name, state=state, threads=threads
    )
    return f"proc/{path}/stat: {line}\n"


@pytest.mark.parametrize("name", ["sh", "a b", "((", "a) S 1 (b", ") "])
def test_parse_skips_any_name(name: str) -> None:
    line = STAT.format(pid=1, name=name, state="D", threads=7)
    assert processes.parse(line.encode()) == ("D", 7)


@pytest.mark.parametrize("data", [b"", b"1 sh S", b"1 (sh)", b"1 (sh) S 0 0"])
def test_parse_refuses(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"expected 'pid \(name\) state ...'"):
        processes.parse(data)


def test_every_thread_is_counted(tmp_path: Path) -> None:
    host = (
        LIMITS
        + stat("5", "R", threads=3)
        + "proc/5/task/5/\n"
        + stat("5/task/6", "S")
        + stat("5/task/7", "S")
        + stat("8", "Z")
        + "proc/8/task/8/\n"
    )
    assert collect(processes.COLLECTOR, host, tmp_path) == (
        {
            "node_processes_threads": 4,
            "node_processes_max_threads": 100,
            'node_processes_state{state="R"}': 1,
            'node_processes_state{state="Z"}': 1,
            'node_processes_threads_state{thread_state="R"}': 1,
            'node_processes_threads_state{thread_state="S"}': 2,
            'node_processes_threads_state{thread_state="Z"}': 1,
            "node_processes_pids": 2,
            "node_processes_max_processes": 200,
        },
        None,
    )


def test_what_vanished_is_not_counted(tmp_path: Path) -> None:
    host = LIMITS + "proc/3/\n" + stat("4", "S") + stat("5", "S", threads=2)
    host += "proc/6/\nproc/5/task/5/\nproc/5/task/9/\n"
    seen = collect(processes.COLLECTOR, host, tmp_path)
    assert seen.error is None
    assert seen.values["node_processes_pids"] == 2
    threads = 'node_processes_threads_state{thread_state="S"}'
    assert seen.values[threads] == 1  # 4 has no task directory any more


def failing(code: int, suffix: str) -> Callable[..., int]:
    """Return an os.open that fails with *code* where the path ends so."""
    plain = os.open

    def opened(path: str, *args: int, **options: int) -> int:
        if path.endswith(suffix):
            raise OSError(code, os.strerror(code), path)
        return plain(path, *args, **options)

    return opened


def test_esrch_is_how_a_process_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "open", failing(errno.ESRCH, "4/stat"))
    host = LIMITS + stat("4", "S") + stat("5", "R")
    seen = collect(processes.COLLECTOR, host, tmp_path)
    assert (seen.error, seen.values["node_processes_pids"]) == (None, 1)


@pytest.mark.parametrize("suffix", ["4/stat", "4/task"])
def test_counts_that_would_be_wrong_are_not_given(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "open", failing(errno.EPERM, suffix))
    host = LIMITS + stat("4", "S", threads=2) + stat("5", "R")
    seen = collect(processes.COLLECTOR, host, tmp_path)
    assert seen.values == {}
    assert isinstance(seen.error, PermissionError)


def test_rubbish_names_the_process(tmp_path: Path) -> None:
    seen = collect(processes.COLLECTOR, LIMITS + "proc/4/stat: x\n", tmp_path)
    assert str(seen.error).startswith("4/stat: expected 'pid (name) state ...'")


def test_this_host() -> None:
    census = processes.count("/proc")
    assert census.process_states["R"] >= 1
    assert census.threads >= census.process_states.total() > 1
    assert abs(census.thread_states.total() - census.threads) < 50
