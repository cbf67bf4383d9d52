"""The configuration in the image that the stack runs, as the stack runs it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import trustme

from deploy.stack import engine, images
from tests.deploy.nginx.site import DEPLOY


pytestmark = pytest.mark.docker

LIMITS = [
    "--user=101:101", "--read-only", "--cap-drop=ALL", "--network=none",
    "--security-opt=no-new-privileges", "--tmpfs=/tmp",
    "--tmpfs=/var/cache/nginx:uid=101,gid=101",
]  # fmt: skip


@pytest.fixture(scope="module")
def image() -> str:
    name = os.environ.get("NGINX_IMAGE", "local/nginx:trixie")
    if not engine.reachable() or not images.present(name):
        pytest.skip(f"no Docker Engine, or no {name} in it: make up makes it")
    return name


def run(image: str, servers: str, certificates: Path, script: str) -> str:
    """Run *script* where nginx would be the first process."""
    conf = DEPLOY / "nginx"
    mounts = [
        f"{conf}/nginx.conf:/etc/nginx/nginx.conf:ro",
        f"{conf}/http:/etc/nginx/http:ro",
        f"{conf}/site:/etc/nginx/site:ro",
        f"{conf}/{servers}:/etc/nginx/conf.d:ro",
        f"{certificates}:/etc/nginx/certificates:ro",
    ]
    done = subprocess.run(
        [
            "docker", "run", "--rm", *LIMITS,
            *(f"--volume={mount}" for mount in mounts),
            "--entrypoint=sh", image, "-euc", script,
        ],
        check=False,
        text=True,
        capture_output=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "[emerg]" not in done.stderr
    assert "[warn]" not in done.stderr
    return done.stdout


def test_nginx_runs_as_nobody_on_a_read_only_root(image: str, tmp_path: Path) -> None:
    script = (
        "nginx; for port in 80 8080; do "
        "wget -qO- http://127.0.0.1:$port/healthz; done; "
        "wget -qO- --header='Host: nginx' http://127.0.0.1/stub_status"
    )
    lines = run(image, "conf.d", tmp_path, script).splitlines()
    assert lines[:2] == ["ok", "ok"]
    assert lines[2].startswith("Active connections: ")


def test_so_it_does_with_tls(image: str, tmp_path: Path) -> None:
    made = trustme.CA().issue_cert("127.0.0.1")
    (tmp_path / "fullchain.pem").write_bytes(made.cert_chain_pems[0].bytes())
    (tmp_path / "privkey.pem").write_bytes(made.private_key_pem.bytes())
    for path in (tmp_path, *tmp_path.iterdir()):
        path.chmod(0o755)
    # `start` ends in nginx in the foreground; here it is to fork, which it does when it
    # listens.
    script = (
        "sed 's/^exec nginx .*/exec nginx/' /etc/nginx/conf.d/start | "
        "HTTPS_PORT=8443 sh; "
        "wget -qO- --no-check-certificate https://127.0.0.1:8443/healthz"
    )
    assert run(image, "tls", tmp_path, script) == "ok\n"
