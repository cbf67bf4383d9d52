"""``--check`` as it is called."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.node.test_cli import DEADLINE_SECONDS, ROOT


HANG = """
import sys, threading
from exporters.node import cli, registry, scrape
from exporters.node.check import run

run.DEFAULT_TIMEOUT_SECONDS = 0.5
hang = registry.CollectorSpec("hang", lambda context: threading.Event().wait)
cli.specs_for = lambda _: (hang,)
sys.exit(cli.main())
"""


def check(
    *argv: str, program: tuple[str, ...] = ("-m", "exporters.node")
) -> tuple[int, list[str], str]:
    done = subprocess.run(
        [sys.executable, *program, "--check", *argv],
        cwd=ROOT,
        capture_output=True,
        timeout=DEADLINE_SECONDS,
        check=False,
        text=True,
    )
    return done.returncode, done.stdout.splitlines(), done.stderr


ANY_PORT = "--web.listen-address=127.0.0.1:0"
ONE = ("--collector.disable-defaults", "--collector.loadavg")


def test_a_good_installation() -> None:
    code, lines, log = check(*ONE, ANY_PORT)
    assert (code, log) == (0, "")
    assert lines[-1] == "Nothing is wrong."


def test_what_is_wrong_is_said_in_sentences(tmp_path: Path) -> None:
    (tmp_path / "bad.prom").write_text("good 1\nbad x\n")
    code, lines, log = check(
        *ONE,
        ANY_PORT,
        "--collector.textfile",
        f"--collector.textfile.directory={tmp_path}",
        f"--collector.textfile.directory={tmp_path}/nowhere",
        "--collector.netstat",
        "--collector.netstat.fields=(",
    )
    assert (code, log) == (1, "")
    assert [line for line in lines if line.startswith("wrong: ")] == [
        (
            "wrong: The exporter does not start: couldn't create collector netstat:"
            " error parsing regexp: missing closing ): `(`."
        ),
        f'wrong: {tmp_path}/bad.prom:2: expected float as value, got "x".',
        f"wrong: {tmp_path}/nowhere: no such file or directory.",
    ]
    assert lines[-1] == "3 things are wrong."


def test_an_address_in_use() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        code, lines, _ = check(*ONE, f"--web.listen-address={address}")
    assert code == 1
    assert (
        f"wrong: The exporter does not start: listen tcp {address}: bind: address"
        " already in use."
    ) in lines


def test_a_wrong_web_configuration(tmp_path: Path) -> None:
    path = tmp_path / "web.yml"
    path.write_text("basic_auth_users: {a: plain}\n")
    code, lines, log = check(*ONE, ANY_PORT, f"--web.config.file={path}")
    assert (code, log) == (1, "")
    (line,) = (line for line in lines if line.startswith("wrong: "))
    assert f"--web.config.file={path}: " in line
    assert "bcrypt" in line


def test_a_path_that_is_not_there() -> None:
    code, lines, log = check("--path.procfs=/nowhere")
    assert (code, log) == (1, "")
    assert "--path.procfs: expected a directory, got '/nowhere'" in lines[0]


def test_a_collector_that_hangs_does_not_hang_the_check() -> None:
    code, lines, _ = check(ANY_PORT, program=("-c", HANG))
    assert code == 1
    assert lines[0].startswith("wrong: hang does not answer within ")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root for a namespace of its own")
def test_in_a_container() -> None:
    """What --pid, --network and --mount of a container runtime come down to."""
    command = ["unshare", "--pid", "--fork", "--mount-proc", "--net", sys.executable]
    done = subprocess.run(
        [*command, "-m", "exporters.node", "--check", ANY_PORT],
        cwd=ROOT,
        capture_output=True,
        timeout=DEADLINE_SECONDS,
        check=False,
        text=True,
        env={**os.environ, "container": "made-up"},
    )
    if "unshare" in done.stderr:
        pytest.skip(f"no namespace to be had: {done.stderr}")
    wrong = [line for line in done.stdout.splitlines() if line.startswith("wrong: ")]
    for words in (
        "in a container without --path.rootfs",
        "--path.procfs=/proc shows the processes and mounts of this container",
        "a network of its own",
    ):
        assert any(words in line for line in wrong), words
