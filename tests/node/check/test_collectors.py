from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from exporters.node.calls import Outcome
from exporters.node.check import collectors
from exporters.node.check.findings import note, wrong
from exporters.node.paths import Paths
from exporters.node.registry import Collect, CollectorSpec, Context, NoData, flags
from exporters.node.text.textfiles import RejectedError
from exporters.toolkit.errors import StartError
from exporters.toolkit.flags import Program
from exporters.toolkit.metric import Metric


def test_nothing_is_said_of_who_succeeds() -> None:
    assert list(collectors.judge({"loadavg": Outcome((), 0.1, None)})) == []


def test_no_data_is_a_note() -> None:
    outcomes = {
        name: Outcome((), 0, NoData("no such device")) for name in ("nvme", "zfs")
    }
    (finding,) = collectors.judge(outcomes)
    assert finding == note(
        "2 collectors find nothing to collect on this host, which is no fault:"
        " nvme, zfs."
    )


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("x:3: expected a number"), "x fails: x:3: expected a number."),
        (RuntimeError("odd"), "x fails: RuntimeError('odd')."),
        (OSError(5, "Input/output error", "/p"), "x fails: [Errno 5] Input/output"),
        (
            PermissionError(13, "Permission denied", "/p"),
            "x may not read what it needs: [Errno 13] Permission denied: '/p'. Run",
        ),
        (TimeoutError(), "x does not answer within 10 s."),
        (TimeoutError("no reply"), "x does not answer within 10 s: no reply."),
    ],
)
def test_a_failure_is_wrong(error: BaseException, text: str) -> None:
    (finding,) = collectors.judge({"x": Outcome((), 10.0, error)})
    assert finding.wrong
    assert finding.text.startswith(text)


def test_what_cannot_be_made_is_left_out() -> None:
    def fine(_context: Context) -> Collect:
        return one

    def one() -> Iterator[Metric]:
        yield Metric("one", "", "gauge")

    def bad(_context: Context) -> Collect:
        raise StartError("--collector.b.x: missing closing )")

    specs = (
        CollectorSpec("a", fine),
        CollectorSpec("b", bad),
        CollectorSpec("off", bad, default_enabled=False),
    )
    values = Program("node_exporter", "", flags(specs)).parse((), {})
    good, findings = collectors.startable(specs, Context(Paths(), values))
    assert [spec.name for spec in good] == ["a"]
    assert findings == [
        wrong(
            "The exporter does not start: couldn't create collector b:"
            " --collector.b.x: missing closing )."
        )
    ]


def test_textfiles_are_named_with_their_lines() -> None:
    rejected = [
        RejectedError("/t/a.prom", "long text", "expected float as value", 7),
        RejectedError("/t", "long text", "permission denied"),
    ]
    assert list(collectors.judge_textfiles(rejected)) == [
        wrong("/t/a.prom:7: expected float as value."),
        wrong("/t: permission denied."),
    ]


def test_warnings_are_told_once() -> None:
    def record(name: str, level: int, text: str) -> logging.LogRecord:
        made = logging.LogRecord(name, level, __file__, 1, text, (), None)
        made.__dict__["fields"] = {"path": "/p"}
        return made

    records = [
        record("exporters.node.collectors.x", logging.WARNING, "no udev"),
        record("exporters.node.collectors.x", logging.WARNING, "no udev"),
        record("exporters.node.collectors.x", logging.INFO, "fine"),
        record("exporters.node.calls", logging.ERROR, "collector failed"),
    ]
    assert list(collectors.judge_log(records)) == [
        note("The log will say: no udev path=/p")
    ]
