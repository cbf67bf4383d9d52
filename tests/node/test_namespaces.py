from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from exporters.node import namespaces


ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("kind", "link", "hosts"),
    [
        ("uts", "uts:[4026531838]", True),
        ("uts", "uts:[4026532322]", False),
        ("pid", "pid:[4026531836]", True),
        ("mnt", "mnt:[4026531840]", True),
        ("mnt", "mnt:[4026531841]", True),
        ("mnt", "mnt:[4026531832]", True),
        ("mnt", "mnt:[4026532500]", False),
        ("uts", "nonsense", None),
    ],
)
def test_numbers(kind: str, link: str, hosts: bool | None) -> None:
    assert namespaces.is_hosts(kind, lambda _path: link) is hosts


def test_without_a_proc_nobody_knows() -> None:
    def refuse(path: str) -> str:
        raise FileNotFoundError(2, "No such file or directory", path)

    assert namespaces.is_hosts("pid", refuse) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root for a namespace of its own")
def test_a_namespace_of_its_own() -> None:
    code = "from exporters.node import namespaces; print(namespaces.is_hosts('uts'))"
    own = subprocess.run(
        ["unshare", "--uts", sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        check=False,
        text=True,
    )
    if own.returncode:
        pytest.skip(f"no namespace to be had: {own.stderr}")
    assert own.stdout == "False\n"
