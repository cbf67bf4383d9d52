"""--help, --version and what ends the program at its start, side by side."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from subprocess import CompletedProcess

import pytest

from tests.nginx.oracle.originals import ONE_X, Original
from tests.nginx.oracle.running import OURS, PROJECT
from tests.process import DEADLINE_SECONDS


pytestmark = pytest.mark.oracle

NO_FILE = "/nonexistent/file"
ENDS: dict[str, list[str]] = {
    "unknown flag": ["--nope"],
    "unknown short flag": ["-z"],
    "argument": ["argument"],
    "no value": ["--nginx.scrape-uri"],
    "value of a switch": ["--nginx.ssl-verify=maybe"],
    "no duration": ["--nginx.timeout=abc"],
    "no unit": ["--nginx.timeout=5"],
    "negative duration": ["--nginx.timeout=-1s"],
    "no label": ["--prometheus.const-label=novalue"],
    "log level": ["--log.level=loud"],
    "log format": ["--log.format=xml"],
    "no authority": [f"--nginx.ssl-ca-cert={NO_FILE}"],
    "authority without certificate": ["--nginx.ssl-ca-cert=/dev/null"],
    "no client certificate": [
        f"--nginx.ssl-client-cert={NO_FILE}",
        f"--nginx.ssl-client-key={NO_FILE}",
    ],
    "no web config": [f"--web.config.file={NO_FILE}"],
    "no port": ["--web.listen-address=127.0.0.1"],
    "no number": ["--web.listen-address=127.0.0.1:http?"],
}
# Messages of the command line are kingpin's, to the letter; what comes later is logged.
USAGE = re.compile(r"^\S+: error: (.*)$", re.MULTILINE)


# In front: an address among the flags is the one that cannot be listened on.
LISTEN = "--web.listen-address=127.0.0.1:0"
COMMANDS = [["--version"], ["--help"], *([LISTEN, *flags] for flags in ENDS.values())]

Finished = Callable[..., CompletedProcess[str]]


@pytest.fixture(scope="module")
def finished() -> Iterator[Finished]:
    """Return what says how a program ended: each command runs once, ahead of its test.

    Ours takes half a second to start, and there is more than one core.
    """
    programs = [OURS, *((path,) for each in ONE_X if (path := each.find()))]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = {
            (*program, *flags): pool.submit(_run, *program, *flags)
            for flags in COMMANDS
            for program in programs
        }
        yield lambda *command: runs[command].result()
        pool.shutdown(cancel_futures=True)


def _run(*command: str) -> CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE_SECONDS,
    )


@pytest.mark.parametrize("flags", ENDS.values(), ids=ENDS)
@pytest.mark.parametrize("original", ONE_X, ids=str)
def test_what_ends_the_start(
    original: Original, flags: list[str], finished: Finished
) -> None:
    theirs = finished(original.program(), LISTEN, *flags)
    ours = finished(*OURS, LISTEN, *flags)
    assert ours.returncode == theirs.returncode == 1
    assert USAGE.findall(ours.stderr) == USAGE.findall(theirs.stderr)
    assert "Traceback" not in ours.stderr


@pytest.mark.parametrize("original", ONE_X, ids=str)
def test_version(original: Original, finished: Finished) -> None:
    """The first line and the names of the others are the same."""
    theirs, ours = [
        finished(*command, "--version") for command in ((original.program(),), OURS)
    ]
    assert ours.returncode == theirs.returncode == 0
    form = re.compile(r"^nginx_exporter, version|^ +[a-z ]+:", re.MULTILINE)
    assert form.findall(ours.stdout + ours.stderr) == form.findall(
        theirs.stdout + theirs.stderr
    )


@pytest.mark.parametrize("original", ONE_X, ids=str)
def test_flags_of_help(original: Original, finished: Finished) -> None:
    """Ours has every flag with the same default and variable, in the same order."""
    theirs, ours = [
        flags_of(finished(*command, "--help"))
        for command in ((original.program(),), OURS)
    ]
    if "($TIMEOUT)" not in theirs["--nginx.timeout=5s"]:  # Debian's kingpin is older
        ours = {head.replace("[no-]", ""): "" for head in ours}
        theirs = dict.fromkeys(theirs, "")
    assert [head for head in ours if head in theirs] == list(theirs)
    assert {head: ours[head] for head in theirs} == theirs


def flags_of(run: CompletedProcess[str]) -> dict[str, str]:
    """Return what --help says of each flag: its head, and its variable."""
    assert run.returncode == 0
    found: dict[str, str] = {}
    for entry in re.split(r"\n  (?=-h|    --)", run.stdout + run.stderr)[1:]:
        head = re.split(r"  +|\n", entry.strip().removeprefix("-h, "))[0]
        variable = re.search(r"\(\$\w+\)", entry)
        found[head] = variable[0] if variable else ""
    return found
