"""The containers of one daemon as a source: what `shipper.docker.supervisor` reads."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from shipper.source import Target

from .ledger import STREAM_NAMES
from .supervisor import Supervisor
from .tailer import Discovered, Tailer


NAME_LABEL = "__meta_docker_container_name"


class DockerSource:
    """Implements `shipper.source.Source`."""

    def __init__(
        self,
        job: str,
        supervisor: Supervisor,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """Show *supervisor* as a source of *job*."""
        self.job = job
        self.supervisor = supervisor
        self.run = supervisor.run
        self.stop_reading = supervisor.stop_reading
        self._now_ns = now_ns

    def not_ready(self) -> str | None:
        """Return why the daemon cannot be asked, or None."""
        if self.supervisor.reachable:
            return None
        return f"Docker cannot be reached: {self.supervisor.reason}"

    def targets(self) -> Iterator[Target]:
        """Return the containers that are read, and those that the rules drop."""
        tailers = self.supervisor.tailers
        for tailer in tailers.values():
            yield self._tailed(tailer)
        for container_id, discovered in self.supervisor.known.items():
            if container_id not in tailers and not self.supervisor.wanted(discovered):
                yield self._target(container_id, discovered)

    def _tailed(self, tailer: Tailer) -> Target:
        oldest_ns = tailer.oldest_ns()
        lag = 0.0 if oldest_ns is None else max(0, self._now_ns() - oldest_ns) / 1e9
        return replace(
            self._target(tailer.container_id, tailer.discovered),
            streams={STREAM_NAMES[key]: lbs for key, lbs in tailer.labels.items()},
            lag_seconds=lag,
            error=tailer.error,
        )

    def _target(self, container_id: str, discovered: Discovered) -> Target:
        name = discovered.get(NAME_LABEL, "").removeprefix("/")
        return Target(
            job=self.job,
            kind="docker",
            name=name or container_id[:12],
            discovered=discovered,
            details={"id": container_id[:12], "host": self.supervisor.host},
        )
