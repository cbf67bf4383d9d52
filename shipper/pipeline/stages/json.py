"""``json``: extract values by JMESPath expressions (promtail stages/json.go)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from exporters.toolkit.decode import Problem
from shipper.pipeline.gojson import MalformedError, marshal, parse_object
from shipper.pipeline.jmes import JmesError, Search, compile_jmes
from shipper.pipeline.record import Record
from shipper.pipeline.stage import Filter, Meters, Workshop


DROP_REASON = "json_stage"
"""promtail drops malformed lines without counting them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What is extracted under which name; no expression: the key of that name."""

    expressions: Mapping[str, str] = field(default_factory=dict)
    source: str | None = None
    drop_malformed: bool = False

    def problems(self) -> Iterator[Problem]:
        if not self.expressions:
            yield Problem("JMES expression is required")
        if self.source == "":
            yield Problem("empty source", ("source",))
        for name, expression in self.expressions.items():
            try:
                compile_jmes(expression or name)
            except JmesError as error:
                text = f"could not compile JMES expression: {error}"
                yield Problem(text, ("expressions", name))

    def build(self, workshop: Workshop) -> Filter:
        """Return the stage."""
        return _Extract(self, workshop.meters)


class _Extract(Filter):
    """Sets what each expression finds, nothing found included."""

    def __init__(self, config: Config, meters: Meters) -> None:
        self._source = config.source
        self._drops = config.drop_malformed
        self._meters = meters
        self._searches: list[tuple[str, Search]] = [
            (name, compile_jmes(expression or name))
            for name, expression in config.expressions.items()
        ]

    def apply(self, record: Record) -> bool:
        text = record.source(self._source)
        if text is None:
            return True
        try:
            data = parse_object(text)
        except MalformedError:
            if self._drops:
                self._meters.dropped(DROP_REASON)
            return not self._drops
        for name, search in self._searches:
            try:
                record.extracted[name] = _value(search(data))
            except (JmesError, TypeError):
                continue  # a function that does not go with this line's types
        return True


def _value(found: Any) -> Any:
    """Return *found* as it is extracted: a list or a map as JSON text."""
    match found:
        case str() | bool() | None | float():
            return found
        case int():
            return float(found)
    return marshal(found)
