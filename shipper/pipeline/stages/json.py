"""``json``: extract values by JMESPath expressions (promtail stages/json.go)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from exporters.toolkit.decode import Problem
from shipper.pipeline.gojson import MalformedError, marshal, parse_object
from shipper.pipeline.jmes import JmesError, Search, compile_jmes, path_of
from shipper.pipeline.jsonfields import Path, field_reader
from shipper.pipeline.record import Extracted, Record
from shipper.pipeline.stage import Emit, Filter, Meters, Workshop


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
        self._searches: list[tuple[str, Search]] = []
        self._names = tuple(config.expressions)
        paths: list[Path | None] = []
        for name, expression in config.expressions.items():
            self._searches.append((name, compile_jmes(expression or name)))
            paths.append(path_of(expression or name))
        keys = [path for path in paths if path is not None]
        self._read = field_reader(keys) if len(keys) == len(paths) else None

    def wrap(self, emit: Emit) -> Emit:
        """Extract in front of *emit*: 1.1 µs for four keys of a line of 230 bytes."""
        read, names, slowly = self._read, self._names, super().wrap(emit)
        if read is None or self._source is not None:
            return slowly

        def step(record: Record) -> None:
            values = read(record.line)
            if values is None:
                slowly(record)
                return
            record.extracted.update(zip(names, values))  # noqa: B905 - 0.1 µs
            emit(record)

        return step

    def apply(self, record: Record) -> bool:
        text = record.source(self._source)
        if text is None:
            return True
        if self._read is not None and (values := self._read(text)) is not None:
            record.extracted.update(zip(self._names, values, strict=True))
            return True
        return self._extract_exactly(record.extracted, text)

    def _extract_exactly(self, extracted: Extracted, text: str) -> bool:
        try:
            data = parse_object(text)
        except MalformedError:
            if self._drops:
                self._meters.dropped(DROP_REASON)
            return not self._drops
        for name, search in self._searches:
            try:
                extracted[name] = _value(search(data))
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
