from __future__ import annotations

from hypothesis import given, strategies as st

from shipper.journal.export import MAX_FIELDS, ExportParser, JournalEntry

from .conftest import a_field


CURSOR = "s=b;i=1;b=6c;m=0;t=6447089d92801;x=a8"

GOLDEN = (
    b"__CURSOR=s=b;i=1;b=6c;m=0;t=6447089d92801;x=a8\n"
    b"__REALTIME_TIMESTAMP=1764100000000001\n"
    b"__MONOTONIC_TIMESTAMP=0\n"
    b"__SEQNUM=7\n"
    b"_BOOT_ID=6c7c6013a26343b29e964691ff25d04c\n"
    b"SYSLOG_IDENTIFIER=one\n"
    b"SYSLOG_IDENTIFIER=two\n"
    b"EMPTY=\n"
    b"MESSAGE\n\x12\0\0\0\0\0\0\0multi\nline \xff bytes\n"
    b"_CMDLINE=a=b=c\n"
    b"\n"
)

GOLDEN_ENTRY = JournalEntry(
    CURSOR,
    1764100000000001,
    {
        "_BOOT_ID": b"6c7c6013a26343b29e964691ff25d04c",
        "SYSLOG_IDENTIFIER": b"two",
        "EMPTY": b"",
        "MESSAGE": b"multi\nline \xff bytes",
        "_CMDLINE": b"a=b=c",
    },
)


def parse(data: bytes, size: int | None = None) -> list[JournalEntry]:
    parser = ExportParser()
    step = size or len(data)
    pieces = (data[at : at + step] for at in range(0, len(data), step))
    return [entry for piece in pieces for entry in parser.feed(piece)]


def test_golden() -> None:
    for size in range(1, len(GOLDEN)):
        assert parse(GOLDEN * 2, size) == [GOLDEN_ENTRY] * 2


names = st.text("ABC_XYZ0", min_size=1, max_size=12).filter(
    lambda name: not name.startswith("__")
)
entries = st.dictionaries(names, st.binary(max_size=40), max_size=6)


def head(number: int) -> bytes:
    return b"__CURSOR=c%d\n__REALTIME_TIMESTAMP=%d\n" % (number, number)


@given(st.lists(entries, max_size=4), st.integers(1, 30))
def test_what_is_written_is_read_whatever_the_split(
    written: list[dict[str, bytes]], size: int
) -> None:
    data = b"".join(
        head(number) + b"".join(a_field(k, v) for k, v in fields.items()) + b"\n"
        for number, fields in enumerate(written)
    )
    assert parse(data, size) == [
        JournalEntry(f"c{number}", number, fields)
        for number, fields in enumerate(written)
    ]


@given(st.binary(max_size=200), st.integers(1, 50))
def test_rubbish_is_no_entry_and_no_error(data: bytes, size: int) -> None:
    parse(data, size)


@given(st.binary(max_size=80).filter(lambda data: b"__" not in data))
def test_what_follows_lines_of_rubbish_is_read(rubbish: bytes) -> None:
    lines = b"".join(b"X=" + line + b"\n" for line in rubbish.split(b"\n"))
    parser = ExportParser()
    assert list(parser.feed(lines + b"\n" + GOLDEN)) == [GOLDEN_ENTRY]
    assert parser.malformed == 1


def test_memory_is_bounded() -> None:
    parser = ExportParser(max_value_bytes=10)
    text = head(1) + b"A=" + b"x" * 5000 + b"\nB=" + b"y" * 10 + b"\n"
    binary = b"C\n" + (7000).to_bytes(8, "little") + b"z\n" * 3500 + b"\n\n"
    (entry,) = parser.feed(text + binary)
    assert entry.fields == {"A": b"x" * 10, "B": b"y" * 10, "C": b"z\n" * 5}
    assert parser.truncated == 2
    fields = b"".join(b"F%d=\n" % number for number in range(2 * MAX_FIELDS))
    (entry,) = parser.feed(head(2) + fields + b"\n")
    assert len(entry.fields) == MAX_FIELDS - 2
    assert not parser._held


def test_a_size_beyond_all_reason_ends_nothing() -> None:
    parser = ExportParser(max_value_bytes=10)
    assert list(parser.feed(b"A\n" + b"\xff" * 8 + b"x" * 100)) == []
    assert len(parser._held) == 10


def test_an_entry_without_a_place_is_counted() -> None:
    parser = ExportParser()
    assert list(parser.feed(b"MESSAGE=x\n\n\n__CURSOR=c\nMESSAGE=y\n\n")) == []
    assert parser.malformed == 2
