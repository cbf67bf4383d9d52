"""deploy/distributed: metrics that are sent on, hosts that are scraped, tenants."""

from __future__ import annotations

import base64
import contextlib
import os
import shutil
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import bcrypt
import pytest
import trustme
import yaml

from deploy.stack.compose import binary
from deploy.stack.settings import DEPLOY
from tests.deploy.kubelet import Container, Kubelet
from tests.e2e.stack import get_json, wait_until
from tests.process import free_port, wait_until_listening
from tests.programs import SID, UNPACKED, program


pytestmark = pytest.mark.timeout(300)

FOLDER = DEPLOY / "distributed"
MIMIR = "https://mimir.example.org/api/v1/push"


def found(name: str) -> str:
    """Return the program *name*: the newest that there is."""
    newest = os.environ.get(name.upper()) or shutil.which(name, path=SID)
    return newest or program(name.upper(), name, UNPACKED)


def version(binary: str) -> tuple[int, int]:
    """Return the version of a Prometheus."""
    done = subprocess.run(
        [binary, "--version"], check=True, text=True, capture_output=True
    )
    major, minor, *_ = (done.stdout + done.stderr).split()[2].split(".")
    return int(major), int(minor)


def replaced(path: Path, places: Mapping[str, str]) -> str:
    """Return the text of *path* with *places* replaced; each has to be there."""
    text = path.read_text()
    for old, new in places.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


@contextlib.contextmanager
def prometheus(folder: Path, config: str, *flags: str) -> Iterator[str]:
    """Run a real Prometheus with the text *config*; yield its address."""
    folder.mkdir(exist_ok=True)
    (folder / "prometheus.yml").write_text(config)
    address = f"127.0.0.1:{free_port()}"
    if not any("agent" in flag for flag in flags):
        flags = (*flags, f"--storage.tsdb.path={folder / 'data'}")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                found("prometheus"), f"--config.file={folder / 'prometheus.yml'}",
                f"--web.listen-address={address}", *flags,
            ],
            stderr=log,
        )  # fmt: skip
    try:
        wait_until(lambda: is_ready(address), "Prometheus is ready")
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait()
        print((folder / "log").read_text()[-4000:])


def is_ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}/-/ready", timeout=10) as answer:
            return int(answer.status) == 200
    except OSError:
        return False


def series(prometheus: str, query: str) -> list[dict[str, str]]:
    """Return the labels of what a *query* finds."""
    words = urllib.parse.urlencode({"query": query})
    answer = get_json(f"{prometheus}/api/v1/query?{words}")
    return [row["metric"] for row in answer["data"]["result"]]


@pytest.mark.oracle
@pytest.mark.parametrize(
    "name", ["mimir/prometheus.yml", "mimir/agent.yml", "hosts/prometheus.yml"]
)
def test_promtool_takes_the_configuration(name: str) -> None:
    done = subprocess.run(
        [found("promtool"), "check", "config", FOLDER / name],
        check=False, text=True, capture_output=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


# Remote write, to a Prometheus in Mimir's place


@dataclass
class Door:
    """What is in front of a Mimir: it notes who writes, and passes it on."""

    behind: str
    port: int = 0
    tenants: set[str | None] = field(default_factory=set)
    users: set[str | None] = field(default_factory=set)


@contextlib.contextmanager
def door(behind: str) -> Iterator[Door]:
    made = Door(behind)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            made.tenants.add(self.headers["X-Scope-OrgID"])
            made.users.add(self.headers["Authorization"])
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept = (
                "Content-Type",
                "Content-Encoding",
                "X-Prometheus-Remote-Write-Version",
            )
            headers = {name: self.headers[name] for name in kept}
            request = urllib.request.Request(f"{behind}/api/v1/write", body, headers)
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:
                    self.send_response(answer.status)
            except urllib.error.HTTPError as error:
                with error:
                    self.send_response(error.code)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.port = server.server_port
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.oracle
@pytest.mark.parametrize("name", ["prometheus.yml", "agent.yml"])
def test_metrics_reach_mimir_as_the_tenants_and_with_the_cluster(
    name: str, tmp_path: Path
) -> None:
    known = version(found("prometheus"))
    if known < (2, 53):
        pytest.skip(f"Prometheus {known}: Debian's 2.42 sends no `headers` at all")
    (tmp_path / "password").write_text("sesame")
    receiver = prometheus(tmp_path / "mimir", "", "--web.enable-remote-write-receiver")
    with receiver as mimir, door(mimir) as entrance:
        config = replaced(
            FOLDER / "mimir" / name,
            {
                MIMIR: f"http://127.0.0.1:{entrance.port}/api/v1/push",
                "/run/secrets/mimir_password": str(tmp_path / "password"),
                "scrape_interval: 15s": "scrape_interval: 1s",
                "node-exporter:9100": mimir.removeprefix("http://"),
            },
        )
        flags = []
        if name == "agent.yml":
            flags = ["--enable-feature=agent" if known < (3, 0) else "--agent"]
            flags += [f"--storage.agent.path={tmp_path / 'agent'}"]
        with prometheus(tmp_path / "sender", config, *flags):
            query = 'up{job="node"} == 1'
            wait_until(lambda: bool(series(mimir, query)), "up has arrived")
            (labels,) = series(mimir, query)
            assert labels["cluster"] == "berlin-1"
            extra = {
                "prometheus.yml": ("__replica__", "a"),
                "agent.yml": ("site", "warehouse"),
            }
            label, value = extra[name]
            assert labels[label] == value
            dropped = series(mimir, "scrape_series_added")
            assert bool(dropped) == (name == "agent.yml")
    assert entrance.tenants == {"shop"}
    assert entrance.users == {f"Basic {base64.b64encode(b'shop:sesame').decode()}"}


# Several plain hosts


@dataclass(frozen=True)
class Secrets:
    """A host's folder of secrets, and the authority that signed its certificate."""

    folder: Path
    authority: Path


@pytest.fixture
def secrets(tmp_path: Path) -> Secrets:
    folder = tmp_path / "secrets"
    folder.mkdir()
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.crt"))
    certificate = authority.issue_cert("localhost")
    certificate.private_key_pem.write_to_path(str(folder / "tls.key"))
    for number, pem in enumerate(certificate.cert_chain_pems):
        pem.write_to_path(str(folder / "tls.crt"), append=bool(number))
    document = yaml.safe_load((FOLDER / "hosts/web.example.yml").read_text())
    hashed = bcrypt.hashpw(b"sesame", bcrypt.gensalt(4)).decode()
    document["basic_auth_users"] = dict.fromkeys(document["basic_auth_users"], hashed)
    (folder / "web.yml").write_text(yaml.safe_dump(document))
    return Secrets(folder, tmp_path / "ca.crt")


@contextlib.contextmanager
def node_exporter(secrets: Secrets) -> Iterator[int]:
    port = free_port()
    with subprocess.Popen(
        [
            sys.executable, "-m", "exporters.node",
            f"--web.config.file={secrets.folder / 'web.yml'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--collector.disable-defaults", "--collector.loadavg",
        ],
        stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        try:
            wait_until_listening(process)
            yield port
        finally:
            process.kill()


@pytest.mark.oracle
def test_a_host_is_scraped_by_tls_and_login_and_found_by_a_file(
    secrets: Secrets, tmp_path: Path
) -> None:
    (tmp_path / "password").write_text("sesame")
    config = replaced(
        FOLDER / "hosts" / "prometheus.yml",
        {
            "/etc/prometheus/ca.crt": str(secrets.authority),
            "/run/secrets/web_password": str(tmp_path / "password"),
            "scrape_interval: 15s": "scrape_interval: 1s",
        },
    )
    targets = tmp_path / "central" / "targets"
    targets.mkdir(parents=True)
    with (
        node_exporter(secrets) as port,
        prometheus(tmp_path / "central", config) as central,
    ):
        # A host that comes later: nobody restarts anything.
        text = replaced(
            FOLDER / "hosts/targets/node.yml",
            {"web1.example.org:9100, web2.example.org:9100": f"localhost:{port}"},
        )
        (targets / "node.part").write_text(text)
        (targets / "node.part").rename(targets / "node.yml")
        query = 'up{instance="localhost"} == 1'
        wait_until(lambda: bool(series(central, query)), "the host is scraped")
        (labels,) = series(central, query)
        assert labels == {
            "__name__": "up",
            "host": "localhost",
            "instance": "localhost",
            "job": "node",
            "role": "web",
            "site": "berlin",
        }
        with pytest.raises(urllib.error.HTTPError, match="400"):
            urllib.request.urlopen(f"http://localhost:{port}/metrics", timeout=10)


def test_compose_takes_what_runs_on_each_host(secrets: Secrets) -> None:
    done = subprocess.run(
        [
            binary(), f"--file={FOLDER / 'hosts/compose.exporters.yml'}",
            "--profile=*", "config", "--format=json",
        ],
        check=False, text=True, capture_output=True,
        env=os.environ | {"HOST": "web1", "LOKI_URL": "https://logs.example.org"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    services = yaml.safe_load(done.stdout)["services"]
    published = {n for n, service in services.items() if service.get("ports")}
    assert published == {"node-exporter", "nginx-exporter"}
    for name in published:
        assert "--web.config.file=/etc/exporter/web.yml" in services[name]["command"]
        assert {p["host_ip"] for p in services[name]["ports"]} == {"127.0.0.1"}
    for service in services.values():
        for volume in service.get("volumes", ()):
            if volume["type"] == "bind" and "secrets" not in volume["source"]:
                assert Path(volume["source"]).exists()


def test_the_shippers_configuration_is_one(tmp_path: Path) -> None:
    names = ("LOKI_URL", "TENANT", "LOKI_USER", "CLUSTER", "HOST")
    values = dict(zip(names, ("http://l/p", "shop", "shop", "c", "h"), strict=True))
    (tmp_path / "loki_password").write_text("sesame")
    text = replaced(
        FOLDER / "hosts" / "promtail.yaml", {"/run/secrets/": f"{tmp_path}/"}
    )
    (tmp_path / "promtail.yaml").write_text(text)
    done = subprocess.run(
        [
            sys.executable, "-m", "shipper", "-check-syntax", "-config.expand-env=true",
            f"-config.file={tmp_path / 'promtail.yaml'}",
        ],
        check=False, text=True, capture_output=True, env=os.environ | values,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


# Tenants


def test_a_tenants_lines_are_that_tenants(tmp_path: Path) -> None:
    kubelet = Kubelet(tmp_path / "log")
    kubelet.log(Container("web", "shop-1", "nginx"), "mine")
    address = f"127.0.0.1:{free_port()}"
    environment = {
        "LOKI_URL": f"http://{address}/loki/api/v1/push",
        "TENANT": "shop",
        "CLUSTER": "berlin-1",
        "NODE_NAME": "node-1",
        "MULTILINE_CONTAINERS": "",
        "POD_LOGS": str(tmp_path / "log" / "pods"),
        "STATE": str(tmp_path),
        "HTTP_PORT": str(free_port()),
    }
    config = DEPLOY / "kubernetes/base/promtail-config.yaml"
    store = [
        *(sys.executable, "-m", "shipper.store", "--auth.enabled"),
        *(f"--storage.path={tmp_path}/s.db", f"--web.listen-address={address}"),
    ]
    shipper = [
        *(sys.executable, "-m", "shipper"),
        *(f"-config.file={config}", "-config.expand-env=true"),
    ]
    with subprocess.Popen(store, stderr=subprocess.PIPE) as one:
        try:
            wait_until_listening(one)
            with subprocess.Popen(
                shipper, env=os.environ | environment, stderr=subprocess.DEVNULL
            ) as two:
                try:
                    wait_until(lambda: jobs(address, "shop") == ["web/nginx"], "a line")
                finally:
                    two.kill()
            assert jobs(address, "other") == []
            assert jobs(address, "") == 401
        finally:
            one.kill()


def jobs(address: str, tenant: str) -> list[str] | int:
    """Return the values of the label job that *tenant* has, or the refusal's status."""
    request = urllib.request.Request(f"http://{address}/loki/api/v1/label/job/values")
    if tenant:
        request.add_header("X-Scope-OrgID", tenant)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return list(yaml.safe_load(answer.read()).get("data") or [])
    except urllib.error.HTTPError as error:
        with error:
            return error.code
