from __future__ import annotations

import io
from dataclasses import dataclass

from shipper.pipeline.inspect import Inspector
from shipper.pipeline.labelset import LabelSet
from shipper.pipeline.pipeline import assemble, chain
from shipper.pipeline.record import Record
from shipper.pipeline.stage import Filter, Stage, Workshop


@dataclass
class _Step(Filter):
    keep: bool

    def build(self, _: Workshop) -> Stage:
        return self

    def apply(self, record: Record) -> bool:
        record.extracted |= {"level": "info", "none": None}
        record.labels = record.labels.having({"job": "new"}).without(["gone"])
        record.metadata += (("trace", "1"),)
        record.timestamp_ns = 1_500_000_000
        record.line = "after"
        return self.keep


class _Origin:
    key = 0

    def decided(self, record: Record) -> None:
        """Do nothing."""


def _inspect(*steps: _Step, colour: bool = False) -> str:
    out = io.StringIO()
    workshop = Workshop(watch=Inspector(out, colour=colour).watch)
    stages = assemble([("step", step) for step in steps], workshop)
    record = Record(
        LabelSet.of({"job": "old", "gone": "x"}), 0, "before", origin=_Origin()
    )
    chain(stages, lambda _: None)(record)
    return out.getvalue()


def test_says_what_changed() -> None:
    assert (
        _inspect(_Step(keep=True))
        == """\
[inspect: step stage]: 
{stages.Entry}.Extracted["level"]:
\t+: info
{stages.Entry}.Extracted["none"]:
\t+: <nil>
{stages.Entry}.Entry.Labels["gone"]:
\t-: x
{stages.Entry}.Entry.Labels["job"]:
\t-: old
\t+: new
{stages.Entry}.Entry.StructuredMetadata["trace"]:
\t+: 1
{stages.Entry}.Entry.Timestamp:
\t-: 1970-01-01 00:00:00 +0000 UTC
\t+: 1970-01-01 00:00:01.5 +0000 UTC
{stages.Entry}.Entry.Line:
\t-: before
\t+: after
"""  # noqa: W291 - as promtail writes it
    )


def test_says_that_nothing_changed_or_nothing_goes_on() -> None:
    text = _inspect(_Step(keep=True), _Step(keep=False))
    assert text.endswith("[inspect: step stage]: dropped or held back\n")
    twice = _inspect(_Step(keep=True), _Step(keep=True))
    assert '"trace"' in twice
    assert twice.endswith("[inspect: step stage]: none\n")


def test_paints_on_a_terminal_only() -> None:
    assert "\x1b[32m\t+: info\x1b[0m\n" in _inspect(_Step(keep=True), colour=True)
    assert "\x1b" not in _inspect(_Step(keep=True))
    assert not Inspector(io.StringIO())._colour
