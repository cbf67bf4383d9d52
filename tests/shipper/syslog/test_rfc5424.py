from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, strategies as st

from shipper.syslog.message import Message, ParseError
from shipper.syslog.rfc5424 import format_rfc5424, parse_rfc5424


HEADER = b"<165>1 2003-10-11T22:14:15.003Z host app 42 ID47 "
SECOND = 1_000_000_000
TIME = 1065910455 * SECOND


def parse(text: bytes) -> Message:
    return parse_rfc5424(text)


def test_every_field() -> None:
    message = parse(HEADER + b'[ex@32473 iut="3" source="App"][b] \xef\xbb\xbfAn event')
    assert message == Message(
        165,
        TIME + 3_000_000,
        "host",
        "app",
        "42",
        "ID47",
        b"\xef\xbb\xbfAn event",  # as promtail, with the byte order mark
        (("ex@32473", (("iut", "3"), ("source", "App"))), ("b", ())),
        "2003-10-11T22:14:15.003Z",
        1,
    )
    assert (message.facility, message.severity) == ("local4", "notice")


def test_nil_everywhere() -> None:
    assert parse(b"<0>1 - - - - - -") == Message(
        0, None, "", "", "", "", b"", (), "", 1
    )


@pytest.mark.parametrize(
    ("priority", "facility", "severity"),
    [
        ("0", "kern", "emergency"),
        ("9", "user", "alert"),
        ("34", "auth", "critical"),
        ("75", "cron", "error"),
        ("100", "ntp", "warning"),
        ("110", "security", "informational"),
        ("122", "cron2", "critical"),
        ("191", "local7", "debug"),
    ],
)
def test_priorities(priority: str, facility: str, severity: str) -> None:
    message = parse(f"<{priority}>1 - - - - - - x".encode())
    assert (message.facility, message.severity) == (facility, severity)


@pytest.mark.parametrize(
    ("text", "nanoseconds", "printed"),
    [
        (b"1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z"),
        (b"1969-12-31T23:59:59.5Z", -SECOND // 2, "1969-12-31T23:59:59.5Z"),
        (
            b"2003-10-11T15:14:15.000003-07:00",
            TIME + 3000,
            "2003-10-11T15:14:15.000003-07:00",
        ),
        (b"2003-10-11T22:14:15.120000+00:00", TIME + 120_000_000,
         "2003-10-11T22:14:15.12Z"),
        (b"2003-10-11T22:14:15.000000-00:00", TIME, "2003-10-11T22:14:15Z"),
        (b"2024-02-29T00:00:00Z", 1709164800 * SECOND, "2024-02-29T00:00:00Z"),
    ],
)  # fmt: skip
def test_timestamps(text: bytes, nanoseconds: int, printed: str) -> None:
    message = parse(b"<1>1 " + text + b" - - - - - x")
    assert (message.timestamp_ns, message.timestamp) == (nanoseconds, printed)


@pytest.mark.parametrize(
    ("data", "params"),
    [
        (b'[a x=""]', (("x", ""),)),
        (b'[a x="\\"q\\" \\] \\\\"]', (("x", '"q" ] \\'),)),
        (b'[a x="1" x="2"]', (("x", "2"),)),
        (b'[a x="[b c=d"]', (("x", "[b c=d"),)),
        (b'[a x="\xc3\xa9\n"]', (("x", "é\n"),)),
        (b'[a x.y-z="1"]', (("x.y-z", "1"),)),
        (b"[a]", ()),
    ],
)
def test_structured_data(data: bytes, params: object) -> None:
    message = parse(HEADER + data + b" text")
    assert message.structured_data == (("a", params),)
    assert message.text == b"text"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"- x", b"x"),
        (b"-", b""),
        (b"- ", b""),
        (b"-  lead", b" lead"),
        (b"- two\rcr\r", b"two\rcr\r"),
        (b"- \xff\x00\n<", b"\xff\x00\n<"),
    ],
)
def test_texts(text: bytes, found: bytes) -> None:
    assert parse(HEADER + text).text == found


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "a priority between angle brackets, 0 to 191 at byte 0"),
        (b"hello", "a priority between angle brackets, 0 to 191 at byte 0"),
        (b"<192>1 - - - - - -", "a priority between angle brackets, 0 to 191"),
        (b"<00>1 - - - - - -", "a priority between angle brackets, 0 to 191"),
        (b"<01>1 - - - - - -", "a priority between angle brackets, 0 to 191"),
        (b"<1>0 - - - - - -", "a version, 1 to 999, and a space at byte 3"),
        (b"<1>1000 - - - - - -", "a version, 1 to 999, and a space"),
        (b"<13>hello", "a version, 1 to 999, and a space at byte 4"),
        (b"<1>1 2003-10-11 - - - - -", "a timestamp as"),
        (b"<1>1 2003-10-11T22:14:15 - - - - -", "a timestamp as"),
        (b"<1>1 2003-10-11t22:14:15z - - - - -", "a timestamp as"),
        (b"<1>1 2003-10-11T22:14:60Z - - - - -", "a timestamp as"),
        (b"<1>1 2003-10-11T22:14:15.1234567Z - - - - -", "a timestamp as"),
        (b"<1>1 2003-10-11T22:14:15+24:00 - - - - -", "a timestamp as"),
        (b"<1>1 - " + b"h" * 256 + b" - - - -", "a hostname of 1 to 255"),
        (b"<1>1 - - " + b"a" * 49 + b" - - -", "an app-name of 1 to 48"),
        (b"<1>1 - - - " + b"p" * 129 + b" - -", "a procid of 1 to 128"),
        (b"<1>1 - - - - " + b"m" * 33 + b" -", "a msgid of 1 to 32"),
        (b"<1>1 - h\xc3\xa9 - - - -", "a hostname of 1 to 255"),
        (b"<1>1 - - - - - ", "structured data as"),
        (b"<1>1 - - - - - x", "structured data as"),
        (b"<1>1 - - - - - -x", "structured data as"),
        (b"<1>1 - - - - - []", "structured data as"),
        (b'<1>1 - - - - - [a x="1" ]', "structured data as"),
        (b'<1>1 - - - - - [a  x="1"]', "structured data as"),
        (b'<1>1 - - - - - [a x="]"]', "structured data as"),
        (b'<1>1 - - - - - [a x="\\n"]', "structured data as"),
        (b'<1>1 - - - - - [a x="\xff"]', "a parameter in UTF-8"),
        (b'<1>1 - - - - - [a "1"="2"]', "structured data as"),
        (b"<1>1 - - - - - [" + b"i" * 33 + b"]", "structured data as"),
    ],
)
def test_what_is_no_message(text: bytes, reason: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse(text)
    assert str(caught.value).startswith(f"expected {reason}")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"<1>1 2003-02-30T00:00:00Z - - - - -", "timestamp 2003-02-30: day is out"),
        (b'<1>1 - - - - - [a x="1"][a]', "duplicate structured data element a"),
    ],
)
def test_what_only_looks_right(text: bytes, reason: str) -> None:
    with pytest.raises(ParseError, match=reason):
        parse(text)


@given(st.binary() | st.binary().map(HEADER.__add__))
def test_any_bytes(data: bytes) -> None:
    with suppress(ParseError):
        parse(data)


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        (b"<13>1 - - - - - - x", b"<13>1 - - - - - - x"),
        (
            b'<13>9 2003-10-11T22:14:15.50+00:00 h a p m [z b="1" a="2"][a] t',
            b'<13>9 2003-10-11T22:14:15.5Z h a p m [a][z a="2" b="1"] t',
        ),
        (
            b'<13>1 - - - - - [a x="\\"\\]\\\\"] t',
            b'<13>1 - - - - - [a x="\\"\\]\\\\"] t',
        ),
        (
            '<13>1 - - - - - [a x="é"] é'.encode(),
            '<13>1 - - - - - [a x="é"] é'.encode(),
        ),
    ],
)
def test_the_whole_message_again(text: bytes, printed: bytes) -> None:
    assert format_rfc5424(parse(text)) == printed


_FIELD = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1)
_NAME = _FIELD.filter(lambda name: not set('="]') & set(name)).map(lambda n: n[:32])


@given(
    st.integers(0, 191),
    _FIELD.map(lambda text: text[:32]).filter(lambda text: text != "-"),
    st.dictionaries(
        _NAME, st.dictionaries(_NAME, st.text(st.characters(exclude_categories=["Cs"])))
    ),
    st.binary(min_size=1),
)
def test_what_was_printed_reads_as_before(
    priority: int, field: str, data: dict[str, dict[str, str]], text: bytes
) -> None:
    structured = tuple(
        (name, tuple(sorted(params.items()))) for name, params in sorted(data.items())
    )
    message = Message(
        priority, None, field, field, field, field, text, structured, "", 1
    )
    assert parse(format_rfc5424(message)) == message
