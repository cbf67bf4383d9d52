from __future__ import annotations

from collections.abc import Callable

import pytest

from exporters.toolkit.decode import DecodeError
from tests.shipper.pipeline.conftest import Rig


JSON = "- json: {expressions: {message: }}\n- eventlogmessage: "


def _extracted(stages: Rig, message: str) -> dict[str, str]:
    """Return what is new among the extracted."""
    record = stages.feed(message, {"job": "t", "message": message})[0]
    return {k: v for k, v in record.extracted.items() if k != "message"}


@pytest.mark.parametrize(
    ("stage", "message", "expected"),
    [
        ("", "Key: v", {"Key": "v"}),
        ("", "a:1\r\nb: 2:3 ", {"a": "1", "b": "2:3"}),
        ("", "a: 1\nb: 2", {"a": "1\nb: 2"}),
        ("", "no colon", {}),
        ("", "", {}),
        ("", "9 é: x\r\n: y", {"___": "x", "_": "y"}),
        ("{drop_invalid_labels: true}", "9 é: x\r\n: y\r\nok: z", {"ok": "z"}),
        ("", "job: new", {"job_extracted": "new"}),
        ("{overwrite_existing: true}", "job: new", {"job": "new"}),
        ("", "k: a\r\nk: b\r\nk: c", {"k": "a", "k_extracted": "c"}),
        ("", "k: \udcff", {}),
        ("", "k:\x85\u3000\xa0v\x1f", {"k": "v\x1f"}),
        ("{source: absent}", "k: v", {}),
    ],
)
def test_extracts(
    rig: Callable[..., Rig], stage: str, message: str, expected: dict[str, str]
) -> None:
    found = _extracted(rig(f"- eventlogmessage: {stage}"), message)
    assert found == {"job": "t", **expected}


def test_a_message_that_is_no_text_is_kept_and_told_once(
    rig: Callable[..., Rig], caplog: pytest.LogCaptureFixture
) -> None:
    stages = rig(JSON)
    lines = ['{"message":null}'] * 3
    assert [out.line for out in stages.feed_all(lines)] == lines
    assert len(caplog.records) == 1
    stages.clock.advance(61)
    stages.feed_all(lines)
    assert len(caplog.records) == 2
    assert caplog.records[1].__dict__["fields"]["suppressed"] == 2


@pytest.mark.parametrize("source", ["'a b'", "''", "9a"])
def test_refuses_a_source_that_is_no_name(rig: Callable[..., Rig], source: str) -> None:
    with pytest.raises(DecodeError, match="invalid label name"):
        rig(f"- eventlogmessage: {{source: {source}}}")
