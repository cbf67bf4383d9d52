"""The labels of a syslog message (promtail targets/syslog/syslogtarget.go), pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Final

from shipper.pipeline.entry import Labels
from shipper.relabel import final_labels
from shipper.syslog.message import Message


Relabel = Callable[[dict[str, str]], dict[str, str] | None]

CONNECTION_IP: Final = "__syslog_connection_ip_address"
CONNECTION_HOSTNAME: Final = "__syslog_connection_hostname"
_MESSAGE: Final = "__syslog_message_"


def connection_labels(ip: str, hostname: str) -> Labels:
    """Return what is known of a sender before it said anything."""
    return ((CONNECTION_IP, ip), (CONNECTION_HOSTNAME, hostname))


def message_labels(message: Message, *, structured_data: bool) -> Labels:
    """Return the labels of *message*, with *structured_data* those of its elements."""
    labels = (
        (f"{_MESSAGE}severity", message.severity),
        (f"{_MESSAGE}facility", message.facility),
        (f"{_MESSAGE}hostname", message.hostname),
        (f"{_MESSAGE}app_name", message.app_name),
        (f"{_MESSAGE}proc_id", message.proc_id),
        (f"{_MESSAGE}msg_id", message.msg_id),
    )
    if not structured_data:
        return labels
    return labels + tuple(
        (f"{_MESSAGE}sd_{element.replace('@', '_')}_{name}", value)
        for element, params in message.structured_data
        for name, value in params
    )


class Streams:
    """Makes a stream of what is found, by the rules of a job.

    The last *size* answers are kept: messages of a host differ little in their labels.
    """

    def __init__(
        self, job: str, labels: Mapping[str, str], relabel: Relabel, size: int = 4096
    ) -> None:
        """Put *labels* of the config under what is found.

        A stream that has no label in the end gets that of *job*: Loki takes none
        without, so promtail loses these lines.
        """
        self._labels = dict(labels)
        self._relabel = relabel
        self._otherwise: Labels = (("job", job),)
        self._size = size
        self._known: OrderedDict[Labels, Labels | None] = OrderedDict()

    def of(self, found: Labels) -> Labels | None:
        """Return the stream of *found*, None when the rules drop it."""
        known = self._known
        if found in known:
            known.move_to_end(found)
            return known[found]
        stream = known[found] = self._make(found)
        if len(known) > self._size:
            known.popitem(last=False)
        return stream

    def _make(self, found: Labels) -> Labels | None:
        labels = self._relabel({**self._labels, **dict(found)})
        if labels is None:
            return None
        return final_labels(labels) or self._otherwise
