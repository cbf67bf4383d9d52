"""``docker``: lines of Docker's json-file driver (stages/extensions.go).

It is a json, a labels, a timestamp and an output stage in one. promtail's users have it
under ``docker_sd_configs`` too, where no line is wrapped any more: there it takes the
``time`` and the ``log`` of an application's own JSON for Docker's, here as there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from shipper.pipeline.container_line import ContainerLine
from shipper.pipeline.gojson import MalformedError, marshal, parse_object
from shipper.pipeline.jsonfields import field_reader
from shipper.pipeline.record import Record
from shipper.pipeline.stage import Filter, Workshop


_KEYS: Final = {"output": "log", "stream": "stream", "timestamp": "time"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The stage has no keys."""

    def build(self, workshop: Workshop) -> Docker:
        """Return the stage."""
        return Docker(workshop)


class Docker(Filter):
    """Unwraps the line."""

    def __init__(self, workshop: Workshop) -> None:
        self._read = field_reader([(key,) for key in _KEYS.values()])
        self._line = ContainerLine("timestamp", "output", workshop)

    def apply(self, record: Record) -> bool:
        """Take stream, time and text out of the JSON; other lines stay as they are."""
        record.seed()
        values = None if self._read is None else self._read(record.line)
        if values is not None:
            record.extracted.update(zip(_KEYS, values, strict=True))
        else:
            self._extract_exactly(record)
        self._line.unwrap(record)
        return True

    def _extract_exactly(self, record: Record) -> None:
        try:
            data = parse_object(record.line)
        except MalformedError:
            return
        for name, key in _KEYS.items():
            record.extracted[name] = _value(data.get(key))


def _value(found: Any) -> Any:
    return marshal(found) if isinstance(found, list | dict) else found
