"""What the collectors say when they are run once."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence

from exporters.node.calls import Outcome, describe
from exporters.node.check.findings import Finding, note, wrong
from exporters.node.registry import CollectorSpec, Context, NoData, Registry, is_enabled
from exporters.node.text.textfiles import RejectedError
from exporters.toolkit.errors import StartError


# What these log is told from what they return.
_TOLD_OTHERWISE = frozenset(
    {
        "exporters.node.calls",
        "exporters.node.text.textfiles",
        "exporters.node.collectors.textfile",
    }
)


def startable(
    specs: Iterable[CollectorSpec], context: Context
) -> tuple[list[CollectorSpec], list[Finding]]:
    """Return those enabled ones of *specs* that can be made, and what ails the rest."""
    good: list[CollectorSpec] = []
    findings: list[Finding] = []
    for spec in specs:
        if not is_enabled(spec, context.values):
            continue
        try:
            Registry((spec,), context)
        except StartError as error:
            findings.append(wrong(f"The exporter does not start: {error}."))
        else:
            good.append(spec)
    return good, findings


def judge(outcomes: Mapping[str, Outcome]) -> Iterator[Finding]:
    """Yield what is to be said of the *outcomes* by collector."""
    idle = [name for name, got in outcomes.items() if isinstance(got.error, NoData)]
    if idle:
        yield note(
            f"{len(idle)} collectors find nothing to collect on this host, which is no"
            f" fault: {', '.join(idle)}."
        )
    for name, outcome in outcomes.items():
        if outcome.error is not None and not isinstance(outcome.error, NoData):
            yield wrong(_sentence(name, outcome))


def _sentence(name: str, outcome: Outcome) -> str:
    error = outcome.error
    assert error is not None
    if isinstance(error, TimeoutError):
        text = f"{name} does not answer within {outcome.seconds:.0f} s"
        return f"{text}: {error}." if str(error) else f"{text}."
    if isinstance(error, PermissionError):
        return (
            f"{name} may not read what it needs: {error}. Run the exporter with more"
            f" privileges, or with --no-collector.{name}."
        )
    return f"{name} fails: {describe(error)}."


def judge_textfiles(rejected: Iterable[RejectedError]) -> Iterator[Finding]:
    """Yield a sentence for each file or directory that is left out."""
    for each in rejected:
        place = f"{each.path}:{each.line}" if each.line else each.path
        yield wrong(f"{place}: {each.reason}.")


def judge_log(records: Sequence[logging.LogRecord]) -> Iterator[Finding]:
    """Yield what collectors warn of while they are made and run, each once."""
    told = [
        _told(record)
        for record in records
        if record.levelno >= logging.WARNING and record.name not in _TOLD_OTHERWISE
    ]
    yield from (note(f"The log will say: {text}") for text in dict.fromkeys(told))


def _told(record: logging.LogRecord) -> str:
    fields: Mapping[str, object] = getattr(record, "fields", {})
    return " ".join(
        [record.getMessage(), *(f"{key}={value}" for key, value in fields.items())]
    )
