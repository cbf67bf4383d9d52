from __future__ import annotations

import io
import sys

import pytest

from exporters.nginx.access_log.sources.intake import Intake, fan_out, printing
from tests.nginx.access_log.sending import message


def test_lines_go_where_their_tag_says() -> None:
    shop: list[bytes] = []
    blog: list[bytes] = []
    intake = Intake(
        "udp://:1",
        {
            "shop": shop.append,
            "blog": blog.append,
            "both": fan_out((shop.append, blog.append)),
        },
    )
    for tag in ("shop", "blog", "both", "none"):
        intake.take(message(f"from {tag}", tag))
    assert shop == [b"from shop", b"from both"]
    assert blog == [b"from blog", b"from both"]
    assert intake.skipped == {"tag": 1}


def test_what_is_no_line(caplog: pytest.LogCaptureFixture) -> None:
    lines: list[bytes] = []
    intake = Intake("udp://:1", {"nginx": lines.append})
    for _ in range(3):
        intake.take(b"\xffhello" + b"x" * 100)
        intake.take(message("x", "sshd"))
        intake.take(message("2026/11/26 10:04:57 [error] 12#12: *1 open() failed"))
    assert not lines
    assert intake.skipped == {"malformed": 3, "tag": 3, "error_log": 3}
    said = [record.__dict__["fields"] for record in caplog.records]
    assert [fields["reason"] for fields in said] == ["malformed", "tag"]
    assert said[0]["message"] == "\ufffdhello" + "x" * 74
    assert said[1]["expected_tags"] == "nginx"


def test_print_log(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[bytes] = []
    stdout = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(sys, "stdout", stdout)
    line = printing(lines.append)
    line(b"\xff1")
    line(b"2")
    assert stdout.buffer.getvalue() == b"\xff1\n2\n"
    stdout.close()
    line(b"3")
    assert lines == [b"\xff1", b"2", b"3"]
