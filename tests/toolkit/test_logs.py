from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator

import pytest
from hypothesis import given, strategies as st

from exporters.toolkit import logs


log = logging.getLogger("tests.logs")


@pytest.fixture(autouse=True)
def restore_root() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    asyncio_level = logging.getLogger("asyncio").level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("asyncio").setLevel(asyncio_level)


def start(level: str = "info", format_: str = "logfmt") -> io.StringIO:
    stream = io.StringIO()
    logs.setup(level, format_, stream)
    return stream


def test_line() -> None:
    stream = start()
    log.info("Listening on", extra={"fields": {"address": "[::]:9100", "n": 1}})
    assert re.fullmatch(
        r"time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z level=INFO "
        r'source=test_logs\.py:\d+ msg="Listening on" address=\[::\]:9100 n=1\n',
        stream.getvalue(),
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("", '""'),
        ("plain", "plain"),
        ("two words", '"two words"'),
        ("a=b", '"a=b"'),
        ('"', r'"\""'),
        ("a\\b", "a\\b"),  # slog quotes no lone backslash
        ("a\\ b", r'"a\\ b"'),
        ("new\nline", r'"new\nline"'),
        ("tab\t", r'"tab\t"'),
        ("\x7f", "\x7f"),  # nor DEL
        ("é☺", "é☺"),
        ("\u00a0", r'"\u00a0"'),
        ("\u200b", r'"\u200b"'),
        ("\udcff", r'"\xff"'),
        (True, "true"),
        (None, "<nil>"),
        (1.5, "1.5"),
        (ValueError("bad\nthing"), '"ValueError: bad thing"'),
    ],
)
def test_quoting(value: object, text: str) -> None:
    stream = start()
    log.info("m", extra={"fields": {"v": value}})
    assert stream.getvalue().endswith(f" msg=m v={text}\n")


@given(st.text(), st.text())
def test_always_one_line(message: str, value: str) -> None:
    stream = start()
    log.info("%s", message, extra={"fields": {"v": value}})
    text = stream.getvalue()
    assert text.endswith("\n")
    assert "\n" not in text[:-1]
    assert "\r" not in text


def test_reserved_keys_are_renamed() -> None:
    stream = start()
    log.info("m", extra={"fields": {"time": 1, "level": 2, "source": 3, "msg": 4}})
    tail = "logged_time=1 logged_level=2 logged_source=3 msg=4\n"
    assert stream.getvalue().endswith(tail)


@pytest.mark.parametrize(
    ("level", "seen"),
    [
        ("debug", ["DEBUG", "INFO", "WARN", "ERROR"]),
        ("info", ["INFO", "WARN", "ERROR"]),
        ("warn", ["WARN", "ERROR"]),
        ("error", ["ERROR"]),
    ],
)
def test_levels(level: str, seen: list[str]) -> None:
    stream = start(level)
    log.debug("m")
    log.info("m")
    log.warning("m")
    log.error("m")
    assert re.findall(r"level=(\w+)", stream.getvalue()) == seen


def fail(level: str, format_: str = "logfmt") -> str:
    stream = start(level, format_)
    try:
        int("two\nlines")
    except ValueError:
        log.exception("it failed")
    return stream.getvalue()


def test_exception_is_one_line() -> None:
    assert re.fullmatch(
        r'time=\S+ level=ERROR source=test_logs\.py:\d+ msg="it failed" '
        r'err="ValueError: invalid literal .*"\n',
        fail("info"),
    )


def test_traceback_at_debug() -> None:
    text = fail("debug")
    assert text.count("\n") == 1
    assert 'stack="Traceback (most recent call last):\\n' in text


def test_json() -> None:
    stream = start("info", "json")
    fields = {"n": 1, "f": 1.5, "b": True, "s": 'q"\u2028é', "raw": "\udcff"}
    log.warning("a b", extra={"fields": fields})
    text = stream.getvalue()
    assert "\\u2028" in text
    line_ = json.loads(text)
    assert list(line_)[:4] == ["time", "level", "source", "msg"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", line_["time"])
    assert line_["level"] == "WARN"
    assert (line_["n"], line_["f"], line_["b"]) == (1, 1.5, True)
    assert line_["s"] == 'q"\u2028é'
    assert line_["raw"] == "\ufffd"


def test_json_exception() -> None:
    assert json.loads(fail("info", "json"))["err"].startswith(
        "ValueError: invalid literal"
    )


@pytest.mark.parametrize("format_", ["logfmt", "json"])
def test_whole_second(format_: str) -> None:
    record = log.makeRecord("n", logging.INFO, "/x/f.py", 3, "m", (), None)
    record.created = 1_700_000_000.0
    formatter = logs.JSONFormatter() if format_ == "json" else logs.LogfmtFormatter()
    expected = {
        "logfmt": "time=2023-11-14T22:13:20.000Z level=INFO source=f.py:3 msg=m",
        "json": '{"time":"2023-11-14T22:13:20Z","level":"INFO","source":"f.py:3",'
        '"msg":"m"}',
    }
    assert formatter.format(record) == expected[format_]


def test_a_closed_stderr_is_no_error() -> None:
    stream = start()
    stream.close()
    log.info("into the void")
