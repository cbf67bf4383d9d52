"""From the body of a push to entries, pure (promtail targets/lokipush)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from shipper.config.push import PushConfig
from shipper.pipeline.entry import Entry, Labels
from shipper.relabel import final_labels
from shipper.wire.body import parse_body
from shipper.wire.errors import Answer, DecodeError
from shipper.wire.labels import LabelError, parse_labels
from shipper.wire.legacy import decode_legacy
from shipper.wire.model import PushStream


Relabel = Callable[[dict[str, str]], dict[str, str] | None]
Item = tuple[Labels, Entry]


class Content(NamedTuple):
    """What a request holds: what is to be put, and how much the rules drop."""

    items: Sequence[Item]
    filtered: int = 0


def read_push(
    body: bytes, content_type: str, most: int, *, v1: bool
) -> list[PushStream]:
    """Return the streams of a push; *v1* tells the JSON of today from the first one.

    Raises Answer with status and text of Loki.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if v1 or kind != "application/json":
        return parse_body(body, content_type, most)
    try:
        return decode_legacy(body)
    except DecodeError as error:
        raise Answer(400, str(error)) from None


Stamp = Callable[[], int]
"""Gives every line a time of its own: Loki takes equal lines at one time for one."""


class Labeller:
    """Makes entries of what is received, with the labels and rules of a job."""

    def __init__(self, job: str, config: PushConfig, relabel: Relabel) -> None:
        """Take a job's name for streams that end up without a label: Loki wants one."""
        self._config = config
        self._relabel = relabel
        self._otherwise: Labels = (("job", job),)

    def streams(self, pushed: Sequence[PushStream], stamp: Stamp) -> Content:
        """Return the entries of *pushed*, each received at its own *stamp*.

        Nothing is taken when one label text does not parse. Raises Answer 400.
        """
        found = [(_parsed(stream), stream) for stream in pushed]
        items: list[Item] = []
        filtered = 0
        for pairs, stream in found:
            labels = self._labels({**pairs, **self._config.labels})
            if labels is None:
                filtered += len(stream.entries)
            else:
                items += self._entries(labels, stream, stamp)
        return Content(items, filtered)

    def lines(self, body: bytes, stamp: Stamp) -> Content:
        """Return the lines of *body*, each at its own *stamp*; blank ones are left out.

        As in promtail rules do not apply and the configured labels are all there is.
        """
        labels = tuple(sorted((k, v) for k, v in self._config.labels.items() if v))
        lines = (line.rstrip(b"\r\n") for line in body.split(b"\n"))
        return Content(
            [
                (labels or self._otherwise, Entry(stamp(), line))
                for line in lines
                if line
            ]
        )

    def _labels(self, found: Mapping[str, str]) -> Labels | None:
        labels = self._relabel(dict(found))
        if labels is None:
            return None
        return final_labels(labels) or self._otherwise

    def _entries(
        self, labels: Labels, stream: PushStream, stamp: Stamp
    ) -> Iterator[Item]:
        if self._config.use_incoming_timestamp:
            return ((labels, entry) for entry in stream.entries)
        return (
            (labels, Entry(stamp(), entry.line, entry.metadata))
            for entry in stream.entries
        )


def _parsed(stream: PushStream) -> dict[str, str]:
    try:
        return dict(parse_labels(stream.labels_text))
    except LabelError as error:
        raise Answer(400, f"couldn't parse labels: {error}") from None
