"""deploy/distributed/loki: what Compose and Loki say of it, and whether it works."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.stack.compose import binary
from deploy.stack.settings import DEPLOY
from tests.deploy.s3 import Bucket, object_store
from tests.e2e.stack import wait_until


pytestmark = pytest.mark.timeout(300)

FOLDER = DEPLOY / "distributed" / "loki"
CONFIG = FOLDER / "loki.yaml"
S3 = {
    "S3_ENDPOINT": "s3.example.org",
    "S3_BUCKET": "loki",
    "S3_REGION": "us-east-1",
    "S3_INSECURE": "false",
    "RETENTION": "360h",
}
ADDRESSES = {
    part: f"127.7.7.{number}"
    for number, part in enumerate(
        [
            "distributor",
            "ingester-1",
            "ingester-2",
            "ingester-3",
            "query-frontend",
            "query-scheduler",
            "querier",
            "index-gateway",
            "compactor",
        ],
        start=1,
    )
}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The whole of it, as Compose understands it."""
    done = subprocess.run(
        [binary(), f"--file={FOLDER / 'compose.yaml'}", "config", "--format=json"],
        check=False, text=True, capture_output=True, env=os.environ | S3,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def targets(compose: dict[str, Any]) -> dict[str, str]:
    """Return the target of each service that is a Loki."""
    return {
        name: option.removeprefix("-target=")
        for name, service in compose["services"].items()
        for option in service["command"] or ()
        if option.startswith("-target=")
    }


def test_every_part_of_loki_is_there(compose: dict[str, Any]) -> None:
    found = targets(compose)
    assert set(found.values()) == {re.sub(r"-\d$", "", part) for part in ADDRESSES}
    config = yaml.safe_load(CONFIG.read_text())
    ingesters = [name for name, target in found.items() if target == "ingester"]
    assert len(ingesters) == config["common"]["replication_factor"]
    assert list(found.values()).count("compactor") == 1
    # What is on their disks alone is on no two the same.
    disks = [compose["services"][name]["volumes"][0]["source"] for name in ingesters]
    assert len(set(disks)) == len(ingesters)
    # The ring knows an ingester by its host name, which one that is made anew keeps.
    assert all(compose["services"][name].get("hostname") == name for name in ingesters)


def test_every_name_in_the_configuration_is_a_service(compose: dict[str, Any]) -> None:
    names = set(compose["services"]) | {"ring"}
    for text in (CONFIG.read_text(), (FOLDER / "gateway.conf").read_text()):
        hosts = set(re.findall(r"\b([a-z-]+):(?:3100|9095|7946)\b", text))
        assert hosts
        assert hosts <= names


def test_only_the_gateway_can_be_reached(compose: dict[str, Any]) -> None:
    ports = {
        name: [p["host_ip"] for p in service.get("ports", ())]
        for name, service in compose["services"].items()
    }
    assert {name: p for name, p in ports.items() if p} == {"gateway": ["127.0.0.1"]}
    for service in compose["services"].values():
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]


# The real Loki


@pytest.fixture(scope="session")
def loki() -> str:
    found = os.environ.get("LOKI")
    if not found:
        pytest.skip("no LOKI=/path/to/loki")
    return found


@pytest.mark.oracle
@pytest.mark.parametrize("part", ADDRESSES)
def test_loki_takes_the_configuration(loki: str, part: str) -> None:
    target = re.sub(r"-\d$", "", part)
    done = subprocess.run(
        [
            loki, f"-config.file={CONFIG}", "-config.expand-env=true",
            f"-target={target}", "-verify-config",
        ],
        check=False, text=True, capture_output=True, env=os.environ | S3,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def placed(part: str, folder: Path, bucket: Bucket) -> Path:
    """Write the configuration of *part*: names of containers become addresses here."""
    text = CONFIG.read_text()
    for name, value in (S3 | {"S3_ENDPOINT": bucket.endpoint}).items():
        text = text.replace(f"${{{name}}}", value)
    for name, address in (ADDRESSES | {"ring": ADDRESSES["ingester-1"]}).items():
        text = re.sub(rf"\b{name}:(?=7946|9095)", f"{address}:", text)
    document = yaml.safe_load(text)
    address = ADDRESSES[part]
    document["common"] |= {"instance_addr": address, "path_prefix": f"{folder}/{part}"}
    document["common"]["storage"]["s3"]["insecure"] = True
    document["server"] |= {
        "http_listen_address": address,
        "grpc_listen_address": address,
        "log_level": "error",
    }
    document["memberlist"] |= {"bind_addr": [address], "advertise_addr": address}
    shipper = document["storage_config"]["tsdb_shipper"]
    shipper["active_index_directory"] = f"{folder}/{part}/index"
    shipper["cache_location"] = f"{folder}/{part}/index-cache"
    document["ingester"]["wal"]["dir"] = f"{folder}/{part}/wal"
    document["compactor"]["working_directory"] = f"{folder}/{part}/compactor"
    path = folder / f"{part}.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


@contextlib.contextmanager
def running(loki: str, part: str, folder: Path, bucket: Bucket) -> Iterator[None]:
    """Run *part* at an address of its own."""
    target = re.sub(r"-\d$", "", part)
    (folder / "credentials").write_text(
        "[default]\naws_access_key_id=loki\naws_secret_access_key=sesame\n"
    )
    environment = {"AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials")}
    with (folder / f"{part}.log").open("wb") as log:
        process = subprocess.Popen(
            [
                loki, f"-config.file={placed(part, folder, bucket)}",
                f"-target={target}",
                # A container has a host name of its own.
                f"-ingester.lifecycler.ID={part}", f"-memberlist.nodename={part}",
            ],
            env=os.environ | environment,
            stderr=log,
        )  # fmt: skip
    try:
        yield
    finally:
        process.kill()
        process.wait()


def asked(part: str, path: str, tenant: str, body: bytes | None = None) -> bytes | None:
    """Return what *part* answers to *tenant*; None if that is an error."""
    headers = {"X-Scope-OrgID": tenant, "Content-Type": "application/json"}
    request = urllib.request.Request(
        f"http://{ADDRESSES[part]}:3100{path}", body, headers
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            print(path, error.code, error.read())
    except OSError as error:
        print(path, error)
    return None


def is_ready(part: str) -> bool:
    return asked(part, "/ready", "") == b"ready\n"


def lines(tenant: str) -> list[str]:
    """Return the lines of *tenant*, by the way that Grafana's questions take."""
    words = urllib.parse.urlencode(
        {
            "query": '{job="test"}',
            "start": time.time_ns() - 3600 * 10**9,
            "end": time.time_ns() + 10**9,
            "limit": 1000,
            "direction": "forward",
        }
    )
    answer = asked("query-frontend", f"/loki/api/v1/query_range?{words}", tenant)
    if not answer:
        return []
    results = json.loads(answer)["data"]["result"]
    return [line for result in results for _, line in result["values"]]


@pytest.mark.oracle
def test_lines_survive_an_ingester_and_end_in_the_object_store(
    loki: str, tmp_path: Path
) -> None:
    with object_store() as bucket, contextlib.ExitStack() as parts:
        lost = parts.enter_context(contextlib.ExitStack())
        for part in ADDRESSES:
            stack = lost if part == "ingester-2" else parts
            stack.enter_context(running(loki, part, tmp_path, bucket))
        try:
            for part in ADDRESSES:
                wait_until(partial(is_ready, part), f"{part} is ready", 120)
            stamp = time.time_ns()
            values = [[str(stamp + n), f"line {n}"] for n in range(100)]
            stream = {"stream": {"job": "test"}, "values": values}
            push = json.dumps({"streams": [stream]}).encode()
            path = "/loki/api/v1/push"
            wait_until(
                lambda: asked("distributor", path, "shop", push) == b"", "a push"
            )
            expected = [f"line {n}" for n in range(100)]
            wait_until(lambda: lines("shop") == expected, "the lines are found")
            assert lines("other") == []
            lost.close()  # and nothing was flushed
            assert lines("shop") == expected
            for part in ("ingester-1", "ingester-3"):
                asked(part, "/flush", "", b"")
            wait_until(
                lambda: any(key.startswith("shop/") for key in bucket.objects),
                "chunks are in the object store, below the tenant",
            )
            assert bucket.keys == {"loki"}
        finally:
            for log in sorted(tmp_path.glob("*.log")):
                print(log.name, log.read_text()[-2000:])
