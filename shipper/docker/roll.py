"""The containers as they were listed last, worked out again only when they changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from shipper.docker.answers import fingerprint, parse_containers
from shipper.docker.engine import Engine, Filters
from shipper.docker.meta import Json, Options, describe, network_ids, network_mode


class Listed(NamedTuple):
    """A container of the list: its *state*, and its *labels* before the rules."""

    state: str
    labels: Mapping[str, str]


class Roll:
    """Lists the containers of *engine* that match *filters*.

    Every method raises DockerError when it cannot be asked.
    """

    def __init__(self, engine: Engine, filters: Filters, options: Options) -> None:
        self._engine = engine
        self._filters = filters
        self._options = options
        self._networks: Sequence[Json] = ()
        self._fingerprint: int | None = None
        self._listed: Mapping[str, Listed] = {}

    async def call(self, *, afresh: bool = False) -> Mapping[str, Listed]:
        """Return all containers by id; the same object when nothing changed.

        *afresh*: the daemon may be another one, nothing that is known of it counts.

        200 containers took 5 ms of CPU each time when all was worked out anew, they
        take 0.7 when nothing changed.
        """
        if afresh:
            self._fingerprint = None
        news = await self._engine.listed(self._filters, self._read)
        if news is None:
            return self._listed
        number, containers = news
        known = await self._know_networks(containers, afresh=afresh)
        labels = describe(containers, self._networks, self._options)
        self._listed = {
            item["Id"]: Listed(item["State"], labels[item["Id"]]) for item in containers
        }
        self._fingerprint = number if known else None
        return self._listed

    async def find(self, container_id: str) -> Listed | None:
        """Return one container as it is now; None when it is not listed."""
        filters = self._filters
        if "id" not in filters:
            filters = {**filters, "id": [container_id]}
        containers = await self._engine.containers(filters)
        found = [item for item in containers if item["Id"] == container_id]
        if not found:
            return None
        if network_mode(found[0]).startswith("container:"):
            containers = await self._engine.containers(self._filters)
        await self._know_networks(found)
        labels = describe(containers, self._networks, self._options)
        return Listed(found[0]["State"], labels.get(container_id, {}))

    def _read(self, body: bytes) -> tuple[int, list[Json]] | None:
        """Return the containers and the list's fingerprint; None: as they were."""
        number = fingerprint(body)
        if number == self._fingerprint:
            return None
        return number, parse_containers(body)

    async def _know_networks(
        self, containers: Iterable[Json], *, afresh: bool = False
    ) -> bool:
        """Ask for the networks if one of *containers* has an unknown one, or *afresh*.

        What a network is like does not change. Returns whether all are known.
        """
        ids = {found for item in containers for found in network_ids(item)}
        if afresh or not self._knows(ids):
            self._networks = await self._engine.networks()
        return self._knows(ids)

    def _knows(self, ids: set[str]) -> bool:
        return ids <= {item["Id"] for item in self._networks}
