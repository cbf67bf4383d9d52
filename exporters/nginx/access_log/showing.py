"""The families about the sources: what came that was no line, what did not come."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Final

from exporters.nginx.access_log.sources.datagrams import Datagrams
from exporters.nginx.access_log.sources.follow import Follower
from exporters.nginx.access_log.sources.intake import REASONS, Intake
from exporters.nginx.access_log.sources.unix_socket import UnixSocket
from exporters.toolkit.errors import StartError
from exporters.toolkit.metric import Metric


log = logging.getLogger(__name__)

_PREFIX: Final = "nginx_exporter_access_log_"
_STATE: Final = (  # the fields of State
    ("files", "gauge", "Files that are followed."),
    ("unread_bytes", "gauge", "Bytes of the followed files that wait to be read."),
    (
        "truncations_total",
        "counter",
        "Times a file was found emptied; what was not read by then is lost.",
    ),
)


class Showing:
    """Everything that is open, by the address or the name of the access log."""

    def __init__(self) -> None:
        self.intakes: dict[str, Intake] = {}
        self.lossy: dict[str, Datagrams] = {}
        self.sockets: list[tuple[UnixSocket, Datagrams]] = []
        self.followers: dict[str, Follower] = {}

    def look_after(self) -> None:
        """Make socket files anew that somebody has removed: nginx looks for them."""
        for unix, datagrams in self.sockets:
            if not unix.is_lost():
                continue
            try:
                datagrams.change(unix.open())
            except StartError as error:
                log.warning("%s", error)
            else:
                log.warning("The socket of the access log was gone, made anew")

    def families(self) -> list[Metric]:
        """Return one family for each kind of number; what there is none of is left out.

        What a unix socket loses only nginx knows, and says in its error log.
        """
        found = (self._lost(), self._skipped(), *self._files())
        return [family for family in found if family]

    def _lost(self) -> Metric:
        return _family(
            "lost_lines_total",
            "counter",
            "Lines that the kernel had no room for in the receive buffer.",
            (
                ({"source": source}, datagrams.lost())
                for source, datagrams in self.lossy.items()
            ),
        )

    def _skipped(self) -> Metric:
        return _family(
            "skipped_messages_total",
            "counter",
            "Syslog messages that were no line of an access log.",
            (
                ({"source": source, "reason": reason}, intake.skipped[reason])
                for source, intake in self.intakes.items()
                for reason in REASONS
            ),
        )

    def _files(self) -> Iterable[Metric]:
        states = {log: follower.state for log, follower in self.followers.items()}
        for index, (name, kind, text) in enumerate(_STATE):
            samples = (({"log": log}, state[index]) for log, state in states.items())
            yield _family(name, kind, text, samples)


def _family(
    name: str, kind: str, text: str, samples: Iterable[tuple[dict[str, str], float]]
) -> Metric:
    family = Metric(_PREFIX + name, text, kind)
    for labels, value in samples:
        family.add_sample(family.name, labels, float(value))
    return family
