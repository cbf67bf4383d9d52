"""The stack as a stranger sees it: what answers, who runs it, and what it tells."""

from __future__ import annotations

import http.client
import http.cookiejar
import json
import re
import socket
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deploy.stack.compose import proxy_user
from deploy.stack.passwords import FILES
from tests.e2e.stack import PREFIX, Stack, docker


pytestmark = [pytest.mark.e2e, pytest.mark.docker, pytest.mark.timeout(1500)]

LISTENS = {
    "nginx": {80, 8080},
    "wordpress": {9000, 9001},
    "mysql": {3306},
    "phpmyadmin": {80},
    "node-exporter": {9100},
    "nginx-exporter": {9113},
    "mysqld-exporter": {9104},
    "promtail": {9080},
    "docker-proxy": {2375},
    "loki": {3100},
    "prometheus": {9090},
    "alertmanager": {9093},
}
PUBLISHED = {
    "nginx": "NGINX_PORT",
    "phpmyadmin": "PHPMYADMIN_PORT",
    "prometheus": "PROMETHEUS_PORT",
    "loki": "LOKI_PORT",
    "alertmanager": "ALERTMANAGER_PORT",
}
# Where the socket has no group of its own; without a capability root may open it.
AS_ROOT = {"docker-proxy"} if proxy_user().startswith("0:") else set()


@dataclass(frozen=True)
class Container:
    """What Docker says of one container of the stack."""

    name: str
    facts: dict[str, Any]

    @property
    def pid(self) -> int:
        return int(self.facts["State"]["Pid"])

    @property
    def host(self) -> dict[str, Any]:
        found: dict[str, Any] = self.facts["HostConfig"]
        return found

    def addresses(self) -> list[str]:
        return [
            n["IPAddress"] for n in self.facts["NetworkSettings"]["Networks"].values()
        ]

    def processes(self) -> Iterator[dict[str, str]]:
        """Yield /proc/PID/status of each process in it."""
        group = Path(f"/proc/{self.pid}/cgroup").read_text()
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if (folder / "cgroup").read_text() != group:
                    continue
                text = (folder / "status").read_text()
            except OSError:
                continue  # ended in between
            status = dict(line.split(":\t", 1) for line in text.splitlines())
            if not status["Name"].startswith("runc"):  # a check that only begins
                yield status


@pytest.fixture(scope="module")
def containers(stack: Stack) -> dict[str, Container]:
    assert stack.ports
    names = docker("ps", "--filter", f"name=^/?{PREFIX}", "--format", "{{.Names}}")
    facts = json.loads(docker("inspect", *names.split()))
    found = [Container(f["Name"].removeprefix(f"/{PREFIX}"), f) for f in facts]
    return {container.name: container for container in found}


def test_these_containers_run_and_listen_where_they_should(
    containers: dict[str, Container],
) -> None:
    found = {name: listening(c.pid) for name, c in containers.items()}
    assert found == LISTENS


def listening(pid: int) -> set[int]:
    """Return the TCP ports in the network of *pid*, but those of the loopback."""
    ports = set()
    for table in ("tcp", "tcp6"):
        for row in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *_ = row.split()
            address, _, port = local.partition(":")
            if state == "0A" and not address.endswith("7F"):
                ports.add(int(port, 16))
    return ports


def test_only_the_loopback_of_the_host_has_the_published_ports(
    stack: Stack, containers: dict[str, Container]
) -> None:
    for name, container in containers.items():
        published = container.facts["NetworkSettings"]["Ports"].values()
        bound = [
            (b["HostIp"], int(b["HostPort"])) for each in published for b in each or ()
        ]
        port = stack.ports.get(PUBLISHED.get(name, ""))
        assert bound == ([("127.0.0.1", port)] if port else []), name
    for variable in PUBLISHED.values():
        assert answers("127.0.0.1", stack.ports[variable]), variable
        for address in own_addresses():
            assert not answers(address, stack.ports[variable]), (address, variable)


def own_addresses() -> set[str]:
    """Return the addresses of this host but the loopback, bridges of Docker as well."""
    shown = json.loads(
        subprocess.run(
            ["ip", "-json", "-4", "address"], check=True, capture_output=True
        ).stdout
    )
    found = {a["local"] for link in shown for a in link["addr_info"]}
    assert len(found) > 1
    return {address for address in found if not address.startswith("127.")}


def answers(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=2).close()
    except OSError:
        return False
    return True


def test_a_container_of_somebody_else_reaches_nothing(
    containers: dict[str, Container],
) -> None:
    targets = [
        (address, port)
        for name, container in containers.items()
        for address in container.addresses()
        for port in LISTENS[name]
    ]
    network = PREFIX + "strangers"
    docker("network", "create", network)
    try:
        assert reached_from(["run", "--rm", "--network", network], targets) == []
    finally:
        docker("network", "rm", network)


def test_who_has_no_business_with_the_database_or_docker_does_not_reach_them(
    containers: dict[str, Container],
) -> None:
    guarded = {
        "mysql": {"mysql", "wordpress", "phpmyadmin", "mysqld-exporter"},
        "docker-proxy": {"docker-proxy", "promtail"},
    }
    for target, friends in guarded.items():
        wanted = [
            (a, p) for a in containers[target].addresses() for p in LISTENS[target]
        ]
        for name in containers.keys() - friends:
            network = f"container:{PREFIX}{name}"
            run = ["run", "--rm", "--network", network]
            assert reached_from(run, wanted) == [], (name, target)
        run = ["run", "--rm", "--network", f"container:{PREFIX}{max(friends)}"]
        assert reached_from(run, wanted) == wanted, "the probe itself works"


PROBE = """
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor
def reaches(target):
    try:
        socket.create_connection(tuple(target), timeout=2).close()
    except OSError:
        return False
    return True
targets = json.loads(sys.argv[1])
with ThreadPoolExecutor(32) as pool:
    print(json.dumps([t for t, yes in zip(targets, pool.map(reaches, targets)) if yes]))
"""


def reached_from(
    run: list[str], targets: list[tuple[str, int]]
) -> list[tuple[str, int]]:
    image = "monitoring-exporters/node:local"
    command = ["--entrypoint", "python", image, "-c", PROBE, json.dumps(targets)]
    return [tuple(target) for target in json.loads(docker(*run, *command))]


def test_no_process_has_a_privilege(containers: dict[str, Container]) -> None:
    for name, container in containers.items():
        seen = list(container.processes())
        assert seen, name
        for status in seen:
            where = f"{name}: {status['Name']}"
            assert int(status["CapEff"], 16) == 0, where
            assert int(status["CapBnd"], 16) == 0, where
            assert status["NoNewPrivs"] == "1", where
            assert status["Seccomp"] == "2", where
            assert (status["Uid"].split()[0] == "0") == (name in AS_ROOT), where


def test_every_container_is_bounded_and_cannot_change_itself(
    containers: dict[str, Container],
) -> None:
    for name, container in containers.items():
        host = container.host
        assert host["ReadonlyRootfs"], name
        assert not host["Privileged"], name
        assert host["Memory"] > 0, name
        assert (host["PidsLimit"] or 0) > 0, name
        assert host["NanoCpus"] > 0, name
        assert host["RestartPolicy"]["Name"] == "unless-stopped", name
        assert host["LogConfig"]["Config"] == {"max-size": "10m", "max-file": "3"}, name
        assert container.facts["State"]["Health"]["Status"] == "healthy", name


def test_the_docker_socket_is_in_one_container(
    containers: dict[str, Container],
) -> None:
    def sees_socket(container: Container) -> bool:
        mounts = [Path(m["Source"]) for m in container.facts["Mounts"]]
        socket_path = Path("/var/run/docker.sock").resolve()
        return any(
            socket_path == m.resolve() or m.resolve() in socket_path.parents
            for m in mounts
            if m != Path("/")  # the node exporter's: may not open it, tested below
        )

    assert [name for name, c in containers.items() if sees_socket(c)] == [
        "docker-proxy"
    ]


def test_the_node_exporter_may_not_open_the_docker_socket(
    containers: dict[str, Container],
) -> None:
    assert "node-exporter" in containers
    code = (
        "import socket\n"
        "try: socket.socket(socket.AF_UNIX).connect('/rootfs/run/docker.sock')\n"
        "except OSError as e: print(type(e).__name__)"
    )
    said = docker("exec", f"{PREFIX}node-exporter", "python", "-c", code)
    assert said.strip() == "PermissionError"


def test_no_password_is_told(stack: Stack, containers: dict[str, Container]) -> None:
    secrets = {(stack.folder / ".secrets" / name).read_text() for name in FILES}
    assert len(secrets) == len(FILES)
    for name, container in containers.items():
        told = {
            "docker inspect": json.dumps(container.facts),
            "docker logs": logs(PREFIX + name),
            "its processes": "".join(commands_and_environments(container)),
        }
        for where, text in told.items():
            assert not [s for s in secrets if s in text], f"{where} of {name}"
    assert not [s for s in secrets if s in (stack.folder / ".env").read_text()]


def logs(name: str) -> str:
    done = subprocess.run(["docker", "logs", name], check=True, capture_output=True)
    return (done.stdout + done.stderr).decode(errors="replace")


def commands_and_environments(container: Container) -> Iterator[str]:
    for status in container.processes():
        for file in ("cmdline", "environ"):
            yield (
                Path(f"/proc/{status['Pid']}/{file}")
                .read_bytes()
                .decode(errors="replace")
            )


@pytest.mark.parametrize(
    ("method", "path", "host", "expected"),
    [
        ("GET", "/healthz", "localhost", {200}),
        ("GET", "/stub_status", "nginx", {301, 302, 404}),
        ("GET", "/stub_status", "localhost", {301, 302, 404}),
        ("GET", "/fpm-status", "nginx", {301, 302, 404}),
        ("POST", "/xmlrpc.php", "localhost", {403}),
        ("GET", "/wp-config.php", "localhost", {403, 404}),
        ("GET", "/.env", "localhost", {403, 404}),
        ("GET", "/.git/config", "localhost", {403, 404}),
        ("GET", "/readme.html", "localhost", {403, 404}),
        ("GET", "/wp-content/uploads/x.php", "localhost", {403, 404}),
        ("GET", "/wp-includes/version.php", "localhost", {403, 404}),
        ("TRACE", "/", "localhost", {405}),
    ],
)
def test_what_nginx_gives_visitors(
    stack: Stack, method: str, path: str, host: str, expected: set[int]
) -> None:
    status, headers, body = ask(stack.ports["NGINX_PORT"], method, path, {"Host": host})
    assert status in expected, (status, body[:200])
    assert "Active connections" not in body
    assert headers.get("Server", "nginx") == "nginx"
    assert "X-Powered-By" not in headers


def test_logins_are_limited(stack: Stack) -> None:
    form = {"log": "admin", "pwd": "guess"}
    codes = [
        ask(stack.ports["NGINX_PORT"], "POST", "/wp-login.php", {}, form)[0]
        for _ in range(30)
    ]
    assert 429 in codes, codes


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/-/reload"),
        ("POST", "/-/quit"),
        ("POST", "/api/v1/admin/tsdb/delete_series?match[]=up"),
        ("POST", "/api/v1/admin/tsdb/snapshot"),
        ("POST", "/api/v1/write"),
    ],
)
def test_prometheus_takes_no_orders(stack: Stack, method: str, path: str) -> None:
    status, _, text = ask(stack.ports["PROMETHEUS_PORT"], method, path, {})
    assert status >= 400
    assert re.search("(not|needs to be) enabled|disabled", text)


def ask(
    port: int,
    method: str,
    path: str,
    headers: dict[str, str],
    form: dict[str, str] | None = None,
) -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    body = urllib.parse.urlencode(form) if form else None
    if form:
        headers = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
        return answer.status, dict(answer.headers), text
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("user", "secret", "enters"),
    [("wordpress", "mysql_password", True), ("root", "mysql_root_password", False)],
)
def test_phpmyadmin_logs_nobody_in_as_root(
    stack: Stack, user: str, secret: str, *, enters: bool
) -> None:
    opener = urllib.request.build_opener(
        urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    )
    url = stack.url("PHPMYADMIN_PORT")
    page = opener.open(url, timeout=30).read().decode()
    fields = dict(re.findall(r'name="(token|set_session)" value="([^"]+)"', page))
    assert len(fields) == 2
    form = {
        "pma_username": user,
        "pma_password": (stack.folder / ".secrets" / secret).read_text(),
        "server": "1",
        **fields,
    }
    body = urllib.parse.urlencode(form).encode()
    answer = opener.open(f"{url}index.php?route=/", body, timeout=30)
    page = answer.read().decode()
    assert ("logged_in:true" in page) == enters
    assert ("Login without a password" in page or "Access denied" in page) != enters
