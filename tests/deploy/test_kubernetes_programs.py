"""The programs as deploy/kubernetes starts them: that they start, and what is asked."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.stack.settings import DEPLOY
from exporters.toolkit.decode import decode
from shipper.relabel import RelabelConfig, relabel
from tests.e2e.stack import wait_until
from tests.process import free_port, wait_until_listening


FOLDER = DEPLOY / "kubernetes"
MODULES = {
    "node": "exporters.node",
    "nginx": "exporters.nginx",
    "shipper": "shipper",
    "store": "shipper.store",
}
STARTED = [
    ("base/node-exporter.yaml", "node-exporter"),
    ("base/promtail.yaml", "promtail"),
    ("components/store/store.yaml", "loki"),
    ("components/nginx-probe/nginx-exporter.yaml", "nginx-exporter"),
    ("examples/wordpress/wordpress.yaml", "nginx-exporter"),
]


def container(file: str, name: str) -> dict[str, Any]:
    """Return the container *name* of the one workload in *file*."""
    for manifest in yaml.safe_load_all((FOLDER / file).read_text()):
        if template := manifest.get("spec", {}).get("template"):
            for found in template["spec"]["containers"]:
                if found["name"] == name:
                    return dict(found)
    raise LookupError(name)


def replaced(text: str, places: dict[str, str]) -> str:
    """Return *text* with each of *places* put in the other's place, in their order."""
    for old, new in places.items():
        text = text.replace(old, new)
    return text


def on_this_host(folder: Path, port: int) -> dict[str, str]:
    """Return what stands in a container for what stands here."""
    return {
        "/host/root": "/",
        "/host/": "/",
        "/loki/": f"{folder}/",
        "/run/nginx-exporter/": f"{folder}/",
        "/etc/promtail/promtail.yaml": str(FOLDER / "base/promtail-config.yaml"),
        "$(HOST_IP)]:9100": f"127.0.0.1]:{port}",
    }


@contextlib.contextmanager
def running(
    file: str,
    name: str,
    folder: Path,
    loki: str = "",
    places: dict[str, str] | None = None,
) -> Iterator[int]:
    """Start the program of a container; yield the port that it listens on."""
    wanted = container(file, name)
    program = wanted["image"].removeprefix("monitoring-exporters/")
    port = free_port()
    places = on_this_host(folder, port) | (places or {})
    command = [replaced(text, places) for text in wanted.get("args", ())]
    if program in {"nginx", "store"}:
        command.append(f"--web.listen-address=127.0.0.1:{port}")
    environment = {
        "HTTP_PORT": str(port),
        "LOKI_URL": f"{loki}/loki/api/v1/push",
        "CLUSTER": "kubernetes",
        "NODE_NAME": "node-1",
        "TENANT": "",
        "MULTILINE_CONTAINERS": "wordpress",
        "POD_LOGS": str(folder),
        "STATE": str(folder),
        "PROBE_ALLOW": "http://[10.0.0.0/8]:8081/stub_status",
    }
    with subprocess.Popen(
        [sys.executable, "-m", MODULES[program], *command],
        env=os.environ | environment,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            wait_until_listening(process)
            yield port
        finally:
            process.kill()


def is_well(port: int, path: str) -> bool:
    return status(port, path) == 200


def status(port: int, path: str) -> int:
    try:
        with urllib.request.urlopen(
            f"http://127.0.0.1:{port}{path}", timeout=10
        ) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


@pytest.fixture(scope="module")
def loki(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(*STARTED[2], tmp_path_factory.mktemp("loki")) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.mark.parametrize(("file", "name"), STARTED)
def test_the_kubelet_gets_an_answer_where_it_asks(
    file: str, name: str, tmp_path: Path, loki: str
) -> None:
    wanted = container(file, name)
    with running(file, name, tmp_path, loki) as port:
        for probe in ("livenessProbe", "readinessProbe"):
            path = wanted[probe]["httpGet"]["path"]
            wait_until(partial(is_well, port, path), path, seconds=20)
        assert status(port, "/metrics") == 200
        assert status(port, "/-/nothing") == 404


def test_the_prober_says_of_no_nginx_that_it_is_down(tmp_path: Path) -> None:
    with running(*STARTED[3], tmp_path) as port:
        assert "nginx_up" not in page(port)
        refused = "/probe?target=http://192.0.2.1/stub_status"
        assert status(port, refused) == 403


def test_a_shipper_without_a_loki_is_alive_and_not_ready(tmp_path: Path) -> None:
    (tmp_path / "a_b_c" / "d").mkdir(parents=True)
    (tmp_path / "a_b_c" / "d" / "0.log").write_text("2026-11-26T12:00:00Z stdout F x\n")
    nobody = f"http://127.0.0.1:{free_port()}"
    with running("base/promtail.yaml", "promtail", tmp_path, nobody) as port:
        wait_until(lambda: status(port, "/ready") == 500, "it is not ready")
        assert status(port, "/-/healthy") == 200


# The sidecar, beside a real nginx with the example's own configuration


@pytest.mark.oracle
def test_the_sidecar_reads_its_nginx(nginx: str, tmp_path: Path) -> None:
    site, own = free_port(), free_port()
    (tmp_path / "empty").touch()
    (tmp_path / "nginx.conf").write_text(
        replaced(
            (FOLDER / "examples/wordpress/nginx.conf").read_text(),
            {
                "/tmp/": f"{tmp_path}/",  # before those that it stands in
                "/etc/nginx/mime.types": f"{tmp_path}/empty",
                "/etc/nginx/fastcgi_params": f"{tmp_path}/empty",
                "/dev/stdout": f"{tmp_path}/access.log",
                "/dev/stderr": f"{tmp_path}/error.log",
                "/run/nginx-exporter/": f"{tmp_path}/",
                "/var/www/html": str(tmp_path),
                "listen 8080;": f"listen 127.0.0.1:{site};",
                "127.0.0.1:8081": f"127.0.0.1:{own}",
            },
        )
    )
    # To nginx the variable NGINX is a list of sockets.
    environment = {k: v for k, v in os.environ.items() if k != "NGINX"}
    user = ["-g", "daemon off; user root;" if os.geteuid() == 0 else "daemon off;"]
    places = {"127.0.0.1:8081": f"127.0.0.1:{own}"}
    with (
        running(*STARTED[4], tmp_path, places=places) as port,
        subprocess.Popen(
            [nginx, "-c", tmp_path / "nginx.conf", *user], env=environment
        ) as process,
    ):
        try:
            wait_until(lambda: answers(site), "nginx answers")
            assert status(site, "/healthz") == 200
            assert status(site, "/.git/config") == 403
            assert status(site, "/nothing.php") == 404
            wait_until(lambda: counted(port, "404") == 1, "the request is counted")
            assert counted(port, "403") == 1
            assert "\nnginx_up 1\n" in page(port)
            assert "\nphpfpm_up{" in page(port)  # there is none here, and it says so
        finally:
            process.terminate()


def answers(port: int) -> bool:
    try:
        return status(port, "/healthz") == 200
    except OSError:
        return False


def page(port: int) -> str:
    with urllib.request.urlopen(
        f"http://127.0.0.1:{port}/metrics", timeout=10
    ) as answer:
        return str(answer.read().decode())


def counted(port: int, code: str) -> float:
    """Return how many requests with the status *code* the access log has had."""
    pattern = rf'(?m)^nginx_http_response_count_total{{.*status="{code}".*}} (\S+)$'
    return sum(map(float, re.findall(pattern, page(port))))


# Prometheus without an operator

PROMETHEUS = FOLDER / "prometheus.yml"


@pytest.mark.oracle
def test_prometheus_takes_the_jobs(promtool: str, tmp_path: Path) -> None:
    """Debian's build knows no kubernetes_sd_configs: all the rest is looked at."""
    document = yaml.safe_load(PROMETHEUS.read_text())
    for job in document["scrape_configs"]:
        assert job.pop("kubernetes_sd_configs") == [{"role": "pod"}]
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(document))
    done = subprocess.run(
        [promtool, "check", "config", tmp_path / "prometheus.yml"],
        check=False, text=True, capture_output=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def target(job: str, **labels: str) -> dict[str, str] | None:
    """Return the labels that Prometheus' *job* makes of a pod's."""
    jobs = yaml.safe_load(PROMETHEUS.read_text())["scrape_configs"]
    (document,) = [found for found in jobs if found["job_name"] == job]
    rules = json.dumps({"rules": document["relabel_configs"]}).encode()
    labels["address"], address = "", labels["address"]
    pod = {f"__meta_kubernetes_{name}": value for name, value in labels.items()}
    pod |= {"__address__": address, "__metrics_path__": "/metrics", "job": job}
    made = relabel(pod, decode(rules, Rules, str(PROMETHEUS)).rules)
    return made and {k: v for k, v in made.items() if not k.startswith("__meta_")}


@dataclass(frozen=True)
class Rules:
    """``relabel_configs`` alone."""

    rules: tuple[RelabelConfig, ...] = ()


NODE_EXPORTER = {
    "address": "10.1.2.3:9100",
    "namespace": "monitoring",
    "pod_name": "node-exporter-x2x4z",
    "pod_node_name": "node-7",
    "pod_annotation_prometheus_io_scrape": "true",
    "pod_annotation_prometheus_io_port": "9100",
    "pod_annotation_prometheus_io_job": "node",
}


@pytest.mark.parametrize("address", ["10.1.2.3", "10.1.2.3:8080", "[fd00::1]:8080"])
def test_an_annotated_pod_is_one_target(address: str) -> None:
    assert target("pods", **NODE_EXPORTER | {"address": address}) == {
        "__address__": f"{address.removesuffix(':8080')}:9100",
        "__metrics_path__": "/metrics",
        "job": "node",
        "instance": "node-7",
        "namespace": "monitoring",
        "pod": "node-exporter-x2x4z",
        "node": "node-7",
    }


def test_a_pod_without_the_annotation_is_none() -> None:
    assert target("pods", address="10.1.2.3:80", namespace="web") is None


def test_a_probe_is_asked_of_the_exporter() -> None:
    made = target(
        "nginx",
        address="10.1.2.3:8081",
        pod_label_monitoring_exporters_nginx="probe",
        pod_container_port_name="status",
    )
    assert made == {
        "__address__": "nginx-exporter.monitoring.svc:9113",
        "__metrics_path__": "/metrics",
        "__param_target": "http://10.1.2.3:8081/stub_status",
        "instance": "10.1.2.3:8081",
        "job": "nginx",
    }
