"""The end of the docker and the cri stage: what was extracted becomes the record's."""

from __future__ import annotations

from .labelset import LabelSet, Memo
from .record import Record
from .stage import Workshop
from .times import Fudge, time_reader
from .values import is_utf8, text_of


class ContainerLine:
    """Sets the label ``stream``, the time and the line; what is missing stays."""

    def __init__(self, time_key: str, line_key: str, workshop: Workshop) -> None:
        self._time_key = time_key
        self._line_key = line_key
        self._read = time_reader(["RFC3339Nano"], None, workshop.now_ns)
        self._fudge = Fudge()
        self._labels: Memo[tuple[LabelSet, str], LabelSet] = Memo()

    def unwrap(self, record: Record) -> None:
        """Set them; without a time the record gets one after the last of its stream."""
        extracted = record.extracted
        stream = text_of(extracted.get("stream"))
        if stream is not None:
            record.labels = self._labelled(record.labels, stream)
        self._set_time(record)
        line = text_of(extracted.get(self._line_key))
        if line is not None:
            record.line = line

    def _labelled(self, labels: LabelSet, stream: str) -> LabelSet:
        """Return *labels* with that of the *stream*, unless it can be none."""
        key = labels, stream
        if found := self._labels.get(key):
            return found
        if is_utf8(stream):
            labels = labels.having({"stream": stream})
        return self._labels.remember(key, labels, labels.size + len(stream))

    def _set_time(self, record: Record) -> None:
        try:
            text = text_of(record.extracted.get(self._time_key))
            time_ns = None if text is None else self._read(text)
        except ValueError:
            time_ns = None
        if time_ns is None:
            self._fudge.failed(record)
        else:
            record.timestamp_ns = time_ns
            self._fudge.read(record)
