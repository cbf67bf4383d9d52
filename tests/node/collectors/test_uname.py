from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from exporters.node import namespaces
from exporters.node.collectors import uname
from exporters.node.paths import Paths
from tests.node.conftest import Run


ROOT = Path(__file__).parents[3]


def nodename(run: Run, root: Path, *argv: str) -> str:
    (metric,) = run(uname.COLLECTOR, *argv, where=Paths(rootfs=str(root)))
    return metric.samples[0].labels["nodename"]


@pytest.fixture
def contained(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process have a host name of its own."""
    monkeypatch.setattr(namespaces, "is_hosts", lambda kind: False)


def host(root: Path, content: bytes) -> Path:
    (root / "etc").mkdir()
    (root / "etc/hostname").write_bytes(content)
    return root


def test_says_what_uname_says(run: Run) -> None:
    (metric,) = run(uname.COLLECTOR, where=Paths())
    (sample,) = metric.samples
    here = os.uname()
    domain = Path("/proc/sys/kernel/domainname").read_text().strip()
    assert sample.value == 1
    assert sample.labels == {
        "sysname": here.sysname,
        "release": here.release,
        "version": here.version,
        "machine": here.machine,
        "nodename": here.nodename,
        "domainname": domain,
    }


def test_in_a_container_the_hosts_file_says_the_name(
    contained: None, run: Run, tmp_path: Path
) -> None:
    assert nodename(run, host(tmp_path, b"# comment\n\n pump-7 \n")) == "pump-7"


@pytest.mark.parametrize("content", [None, b"", b"# only a comment\n"])
def test_a_host_without_a_name_has_that_of_uname(
    content: bytes | None, contained: None, run: Run, tmp_path: Path
) -> None:
    if content is not None:
        host(tmp_path, content)
    assert nodename(run, tmp_path) == os.uname().nodename


def test_without_rootfs_it_is_upstreams(contained: None, run: Run) -> None:
    assert nodename(run, Path("/")) == os.uname().nodename


@pytest.mark.parametrize("is_hosts", [True, None])
def test_with_the_hosts_own_name_the_file_is_not_asked(
    is_hosts: bool | None, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(namespaces, "is_hosts", lambda kind: is_hosts)
    assert nodename(run, host(tmp_path, b"stale\n")) == os.uname().nodename


def test_a_flag_wins(contained: None, run: Run, tmp_path: Path) -> None:
    root = host(tmp_path, b"pump-7\n")
    assert nodename(run, root, "--collector.uname.nodename=pump-8") == "pump-8"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root for a namespace of its own")
def test_in_a_namespace_of_its_own(tmp_path: Path) -> None:
    code = (
        "import sys; from exporters.node.collectors import uname;"
        " from exporters.node.paths import Paths;"
        " print(uname.hosts_name(Paths(rootfs=sys.argv[1])))"
    )
    root = host(tmp_path, b"pump-7\n")
    done = subprocess.run(
        ["unshare", "--uts", sys.executable, "-c", code, str(root)],
        cwd=ROOT,
        capture_output=True,
        check=False,
        text=True,
    )
    if done.returncode and "unshare" in done.stderr:
        pytest.skip(f"no namespace to be had: {done.stderr}")
    assert done.stdout == "pump-7\n"
