from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from shipper.syslog.message import Message, ParseError
from shipper.syslog.rfc3164 import parse_rfc3164


NOW = datetime(2026, 6, 15, 12, 0, 0, tzinfo=UTC)
HEADER = b"<34>Oct 11 22:14:15 "


def parse(text: bytes, now: datetime = NOW) -> Message:
    return parse_rfc3164(text, now)


def words(text: bytes) -> tuple[str, str, str, bytes]:
    message = parse(HEADER + text)
    return message.hostname, message.app_name, message.proc_id, message.text


# What the real promtail 3.4.6 makes of each (tests/shipper/oracle compares).
@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"machine su: 'su root' failed", ("machine", "su", "", b"'su root' failed")),
        (b"machine su[123]: x", ("machine", "su", "123", b"x")),
        (b"su: no host", ("", "su", "", b"no host")),
        (b"su[1]: no host", ("", "su", "1", b"no host")),
        (b"10.0.0.1 %ASA-6-1: x", ("10.0.0.1", "%ASA-6-1", "", b"x")),
        (b"fe80::1 su: x", ("", "fe80", "", b"fe80::1 su: x")),
        (b"just some words", ("just", "", "", b"some words")),
        (b"one", ("", "", "", b"one")),
        (b"one ", ("one", "", "", b"one ")),
        (b"one  ", ("one", "", "", b" ")),
        (b"", ("", "", "", b"")),
        (b" ", ("", "", "", b" ")),
        (b"  h   t:  x", ("h", "t", "", b" x")),
        (b"h su[12] no colon", ("h", "su", "12", b"12] no colon")),
        (b"h su[]: empty", ("h", "su", "", b"empty")),
        (b"su[12] no colon", ("12]", "su", "12", b"no colon")),
        (b"h su[12:x", ("h", "su", "", b"12:x")),
        (b"h su:x", ("h", "su", "", b"su:x")),
        (b"h su: ", ("h", "su", "", b"su: ")),
        (b"h a/b[c d]: x", ("h", "a/b", "", b"c d]: x")),
        (b"h [x]: y", ("h", "", "", b"[x]: y")),
        (b"- -[-]: dash", ("", "", "", b"dash")),
        (b"h " + b"t" * 48 + b": x", ("h", "t" * 48, "", b"x")),
        (b"h " + b"t" * 49 + b": x", ("h", "", "", b"t" * 49 + b": x")),
        (b"h" * 255 + b" t: x", ("h" * 255, "t", "", b"x")),
        (b"h" * 256 + b" t: x", ("", "", "", b"h" * 256 + b" t: x")),
        (b"h\xc3\xa9 t: x", ("", "", "", b"h\xc3\xa9 t: x")),
        (b"h t: \xc3\xa9\n", ("h", "t", "", b"\xc3\xa9")),
    ],
)
def test_words(text: bytes, found: object) -> None:
    assert words(text) == found


@pytest.mark.parametrize("text", [b"tab\there", b"\x1b[1mbold\x1b[0m", b"two\nlines"])
def test_texts_that_promtail_drops(text: bytes) -> None:
    assert words(b"h t: " + text) == ("h", "t", "", text)


def test_priority_and_space_before_the_time() -> None:
    message = parse(b"<191>  Oct  1 00:00:00 h t: x")
    assert (message.facility, message.severity) == ("local7", "debug")


def at(*when: int) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp()) * 1_000_000_000  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("now", "stamp", "found"),
    [
        ((2026, 6, 15), b"Jun 15 00:00:01", at(2026, 6, 15, 0, 0, 1)),
        ((2026, 1, 1), b"Dec 31 23:59:59", at(2025, 12, 31, 23, 59, 59)),
        ((2025, 12, 31), b"Jan  1 00:00:00", at(2026, 1, 1)),
        ((2024, 3, 1), b"Feb 29 12:00:00", at(2024, 2, 29, 12)),
        ((2025, 3, 1), b"Feb 29 12:00:00", at(2024, 2, 29, 12)),
        ((2026, 3, 1), b"Feb 29 12:00:00", None),
    ],
)
def test_year(now: tuple[int, int, int], stamp: bytes, found: int | None) -> None:
    message = parse(b"<1>" + stamp + b" h t: x", datetime(*now, tzinfo=UTC))
    assert message.timestamp_ns == found


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "expected <priority>, 0 to 191 at byte 0"),
        (b"<192>Oct 11 22:14:15 h", "expected <priority>, 0 to 191 at byte 0"),
        (b"<34>Oct 01 22:14:15 h", "expected a timestamp as Jan _2 15:04:05 at byte 4"),
        (b"<34>oct 11 22:14:15 h", "expected a timestamp as"),
        (b"<34>Oct 11 22:14:15", "expected a timestamp as"),
        (b"<34>Oct 11 24:14:15 h", "expected a timestamp as"),
        (b"<34>1 2003-10-11T22:14:15Z h a - - - x", "expected a timestamp as"),
        (b"<34>Feb 30 22:14:15 h", "timestamp Feb 30 22:14:15: day out of range"),
    ],
)
def test_what_is_no_message(text: bytes, reason: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse(text)
    assert str(caught.value).startswith(reason)


_ODD = st.text("a: []-\t\n").map(str.encode)


@given(st.binary() | st.binary().map(HEADER.__add__) | _ODD.map(HEADER.__add__))
def test_any_bytes(data: bytes) -> None:
    with suppress(ParseError):
        message = parse(data)
        assert message.text in data
