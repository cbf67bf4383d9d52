"""The shipper with the ConfigMap of deploy/kubernetes: every line of a pod, once."""

from __future__ import annotations

import difflib
import os
import signal
import subprocess
import sys
import time
import urllib.parse
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.stack.settings import DEPLOY
from tests.deploy.kubelet import PART_BYTES, Container, Kubelet, Stream
from tests.e2e.stack import get_json, wait_until
from tests.process import free_port, wait_until_listening


pytestmark = pytest.mark.timeout(300)

CONFIG = DEPLOY / "kubernetes" / "base" / "promtail-config.yaml"
NODE = "node-7"
NGINX = Container("web", "shop-5d8f7c9b6-x2x4z", "nginx")
WORDPRESS = Container("web", "shop-5d8f7c9b6-x2x4z", "wordpress")
STATIC = Container("kube-system", "etcd-node-7", "etcd")


@dataclass
class Node:
    """A node with its kubelet, the shipper of its DaemonSet and the store."""

    folder: Path
    kubelet: Kubelet
    store: str
    http: int
    cluster: str
    shipper: subprocess.Popen[bytes] | None = None
    runs: int = 0

    def start(self) -> None:
        """Start the shipper as the DaemonSet does."""
        self.runs += 1
        environment = {
            "LOKI_URL": f"{self.store}/loki/api/v1/push",
            "CLUSTER": self.cluster,
            "NODE_NAME": NODE,
            "TENANT": "shop",
            "MULTILINE_CONTAINERS": "wordpress",
            "POD_LOGS": str(self.kubelet.var_log / "pods"),
            "STATE": str(self.folder),
            "HTTP_PORT": str(self.http),
        }
        with (self.folder / f"shipper-{self.runs}.log").open("wb") as log:
            self.shipper = subprocess.Popen(
                [
                    sys.executable, "-m", "shipper",
                    f"-config.file={CONFIG}", "-config.expand-env=true",
                ],
                env=os.environ | environment,
                stderr=log,
            )  # fmt: skip

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the shipper and wait for it."""
        assert self.shipper is not None
        self.shipper.send_signal(how)
        assert self.shipper.wait(30) == (0 if how is signal.SIGTERM else -how)
        self.shipper = None

    def stored(self) -> dict[Stream, list[str]]:
        """Return the lines of every stream that the store has, in its order."""
        words = urllib.parse.urlencode(
            {
                "query": f'{{cluster="{self.cluster}"}}',
                "start": time.time_ns() - 3600 * 10**9,
                "end": time.time_ns() + 60 * 10**9,
                "direction": "forward",
                "limit": 5000,
            }
        )
        answer = get_json(f"{self.store}/loki/api/v1/query_range?{words}")
        found: dict[Stream, list[str]] = defaultdict(list)
        for result in answer["data"]["result"]:
            labels = dict(result["stream"])
            stream = Stream(*(labels.pop(name) for name in Stream._fields))
            assert labels == {
                "cluster": self.cluster,
                "node": NODE,
                "job": f"{stream.namespace}/{stream.container}",
                "service_name": stream.container,
            }
            found[stream] += [line for _, line in result["values"]]
        return dict(found)

    def shipped(self) -> bool:
        """Say whether the store has as many lines as were logged."""
        assert self.shipper is not None
        assert self.shipper.poll() is None, "the shipper has ended"
        return total(self.stored()) >= total(self.kubelet.logged)


def total(streams: dict[Stream, list[str]]) -> int:
    return sum(map(len, streams.values()))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The store's address; each test has a cluster of its own in it."""
    database = tmp_path_factory.mktemp("store") / "store.db"
    address = f"127.0.0.1:{free_port()}"
    with subprocess.Popen(
        [
            sys.executable, "-m", "shipper.store",
            f"--storage.path={database}", f"--web.listen-address={address}",
            "--no-validation.discover-log-levels",
        ],
        stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        try:
            wait_until_listening(process)
            yield f"http://{address}"
        finally:
            process.kill()


@pytest.fixture
def node(tmp_path: Path, store: str) -> Iterator[Node]:
    var_log = tmp_path / "var-log"
    (var_log / "pods").mkdir(parents=True)
    made = Node(tmp_path, Kubelet(var_log), store, free_port(), tmp_path.name)
    try:
        yield made
    finally:
        if made.shipper is not None:
            made.shipper.kill()
            made.shipper.wait()
        for log in sorted(tmp_path.glob("shipper-*.log")):
            print(log.read_text())


def assert_all_is_there_once(node: Node) -> None:
    wait_until(node.shipped, "the store has every line")
    stored = node.stored()
    assert stored.keys() == node.kubelet.logged.keys()
    for stream, logged in node.kubelet.logged.items():
        difference = difflib.unified_diff(logged, stored[stream], n=1, lineterm="")
        assert not list(difference), stream


def test_labels_come_from_the_path_and_parts_become_lines(node: Node) -> None:
    kubelet = node.kubelet
    node.start()
    kubelet.log(STATIC, *(f"raft {n}" for n in range(50)), stream="stderr")
    kubelet.log(NGINX, "a" * 3 * PART_BYTES + "end", "", " ", "short")
    # Two streams write parts at the same time.
    kubelet.part(NGINX, "out 1, ")
    kubelet.part(NGINX, "err 1, ", stream="stderr")
    kubelet.part(NGINX, "out 2", flag="F")
    kubelet.part(NGINX, "err 2", stream="stderr", flag="F")
    kubelet.expect(NGINX, "out 1, out 2")
    kubelet.expect(NGINX, "err 1, err 2", stream="stderr")
    assert_all_is_there_once(node)


def test_an_indented_line_belongs_to_the_one_before(node: Node) -> None:
    trace = ("PHP Fatal error: x", "  #0 a.php(3)", "\tthrown in a.php")
    for line in (*trace, "next"):
        node.kubelet.part(WORDPRESS, line, stream="stderr", flag="F")
    node.kubelet.expect(WORDPRESS, "\n".join(trace), stream="stderr")
    node.kubelet.expect(WORDPRESS, "next", stream="stderr")
    node.kubelet.log(NGINX, "one", "  two")  # nobody has asked for it here
    node.start()
    assert_all_is_there_once(node)


def test_a_rotation_loses_nothing_and_repeats_nothing(node: Node) -> None:
    kubelet = node.kubelet
    node.start()
    kubelet.log(NGINX, *(f"first {n}" for n in range(200)))
    wait_until(node.shipped, "the first lines are there")
    # Written, and renamed before anybody can have read it; a line begins in one file
    # and ends in the next.
    kubelet.log(NGINX, *(f"second {n}" for n in range(200)))
    kubelet.part(NGINX, "begun here, ")
    rotated = kubelet.rotate(NGINX)
    kubelet.part(NGINX, "ended there", flag="F")
    kubelet.expect(NGINX, "begun here, ended there")
    kubelet.log(NGINX, *(f"third {n}" for n in range(200)))
    wait_until(node.shipped, "the third lines are there")
    again = kubelet.rotate(NGINX)
    kubelet.compress(rotated)
    kubelet.log(NGINX, *(f"fourth {n}" for n in range(200)))
    wait_until(node.shipped, "the fourth lines are there")
    kubelet.rotate(NGINX)
    kubelet.compress(again)
    kubelet.log(NGINX, "last")
    assert_all_is_there_once(node)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_what_is_logged_and_rotated_without_a_shipper_is_read_later(
    node: Node, how: signal.Signals
) -> None:
    kubelet = node.kubelet
    node.start()
    kubelet.log(NGINX, *(f"before {n}" for n in range(300)))
    kubelet.log(STATIC, "quiet from now on")
    wait_until(node.shipped, "the lines before are there")
    kubelet.log(NGINX, *(f"under way {n}" for n in range(300)))
    node.stop(how)
    kubelet.log(NGINX, *(f"during {n}" for n in range(300)))
    kubelet.rotate(NGINX)
    kubelet.log(NGINX, *(f"after the rotation {n}" for n in range(300)))
    unseen = NGINX._replace(pod="came-and-rotated-0")
    kubelet.log(unseen, *(f"never seen as 0.log {n}" for n in range(300)))
    kubelet.rotate(unseen)
    kubelet.log(unseen, "seen")
    restarted = NGINX._replace(restarts=1)
    kubelet.log(restarted, "restarted")
    node.start()
    assert_all_is_there_once(node)
    node.stop()
    node.start()
    kubelet.log(restarted, "and once more")
    assert_all_is_there_once(node)


def test_a_pod_that_is_deleted_has_said_everything(node: Node) -> None:
    kubelet = node.kubelet
    node.start()
    kubelet.log(NGINX, "started")
    kubelet.log(STATIC, "started")
    wait_until(node.shipped, "it is read")
    kubelet.log(NGINX, *(f"last words {n}" for n in range(100)))
    kubelet.delete(NGINX)
    successor = NGINX._replace(pod="shop-5d8f7c9b6-9j8k7")
    kubelet.log(successor, "I go on")
    assert_all_is_there_once(node)


def test_the_links_in_containers_are_not_read_as_well(node: Node) -> None:
    node.kubelet.log(NGINX, "once")
    (link,) = (node.kubelet.var_log / "containers").iterdir()
    assert link.read_text().endswith("stdout F once\n")
    node.start()
    assert_all_is_there_once(node)
