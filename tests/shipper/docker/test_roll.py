from __future__ import annotations

import pytest

from shipper.docker.engine import Engine
from shipper.docker.meta import Options
from shipper.docker.roll import Roll
from shipper.docker.stream import DockerError

from .conftest import ID, FakeDocker, listed, reply


OTHER = "b" * 64
NETWORK = "__meta_docker_network_name"


@pytest.fixture
def roll(engine: Engine) -> Roll:
    return Roll(engine, {}, Options())


def networked(network: str, container_id: str = ID) -> dict[str, object]:
    settings = {"Networks": {"n": {"NetworkID": network, "IPAddress": "10.0.0.2"}}}
    return listed(container_id, NetworkSettings=settings)


def asked(fake: FakeDocker, name: str) -> int:
    paths = [request.partition("?")[0] for request in fake.requests]
    return sum(path.endswith(f"/{name}") for path in paths)


async def test_nothing_new_is_the_same_object(roll: Roll, fake: FakeDocker) -> None:
    fake.containers = [listed(Status="Up 1 second")]
    first = await roll.call()
    fake.containers = [listed(Status="Up 9 seconds")]
    assert await roll.call() is first
    fake.containers = [listed(Names=["/new"])]
    changed = await roll.call()
    assert changed[ID].labels["__meta_docker_container_name"] == "/new"
    fake.containers = [listed(Names=["/new"], State="exited")]
    assert (await roll.call())[ID].state == "exited"
    fake.containers = []
    assert await roll.call() == {}


async def test_networks_are_asked_for_when_one_is_new(
    roll: Roll, fake: FakeDocker
) -> None:
    fake.broken = {"networks": reply([{"Id": "n1", "Name": "one"}])}
    fake.containers = [networked("n1")]
    assert (await roll.call())[ID].labels[NETWORK] == "one"
    fake.containers = [networked("n1"), networked("n1", OTHER)]
    assert (await roll.call())[OTHER].labels[NETWORK] == "one"
    assert asked(fake, "networks") == 1
    fake.broken = {"networks": reply([{"Id": "n2", "Name": "two"}])}
    fake.containers = [networked("n2")]
    assert (await roll.call())[ID].labels[NETWORK] == "two"
    found = await roll.find(ID)
    assert found is not None
    assert found.labels[NETWORK] == "two"
    assert asked(fake, "networks") == 2


async def test_an_unknown_network_is_asked_for_again(
    roll: Roll, fake: FakeDocker
) -> None:
    """An overlay network shows late on a worker of a swarm."""
    fake.containers = [networked("late")]
    assert NETWORK not in (await roll.call())[ID].labels
    fake.broken = {"networks": reply([{"Id": "late", "Name": "overlay"}])}
    assert (await roll.call())[ID].labels[NETWORK] == "overlay"


async def test_another_daemon_is_asked_for_everything(
    roll: Roll, fake: FakeDocker
) -> None:
    fake.containers = [networked("n1")]
    fake.broken = {"networks": reply([{"Id": "n1", "Name": "old"}])}
    await roll.call()
    fake.broken = {"networks": reply([{"Id": "n1", "Name": "new"}])}
    assert (await roll.call())[ID].labels[NETWORK] == "old"
    assert (await roll.call(afresh=True))[ID].labels[NETWORK] == "new"


async def test_what_failed_is_asked_again(roll: Roll, fake: FakeDocker) -> None:
    fake.containers = [networked("n1")]
    fake.broken = {"networks": reply({"message": "oops"}, "500 Oops")}
    with pytest.raises(DockerError, match=r"networks: HTTP 500: oops$"):
        await roll.call()
    fake.broken = {"networks": reply([{"Id": "n1", "Name": "one"}])}
    assert (await roll.call())[ID].labels[NETWORK] == "one"


async def test_one_that_is_not_listed(roll: Roll, fake: FakeDocker) -> None:
    assert await roll.find(ID) is None
    fake.containers = [listed()]
    found = await roll.find(ID)
    assert found is not None
    assert found.state == "running"


async def test_one_in_the_network_of_another(roll: Roll, fake: FakeDocker) -> None:
    inside = listed(HostConfig={"NetworkMode": f"container:{OTHER}"})
    fake.containers = [inside, networked("n1", OTHER)]
    fake.broken = {"networks": reply([{"Id": "n1", "Name": "one"}])}
    found = await roll.find(ID)
    assert found is not None
    assert found.labels["__meta_docker_network_ip"] == "10.0.0.2"
