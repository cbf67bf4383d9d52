from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from shipper import positions_journal
from shipper.positions_journal import (
    Journal,
    JournalError,
    header,
    record,
    records,
    recover,
    replay,
)


DATA = b'positions:\n  "a": "1"\n'
BASE = {"a": "1"}

Entries = dict[str, str]

texts = st.text(max_size=6)
states = st.lists(st.dictionaries(texts, texts, max_size=4), min_size=1, max_size=6)


def written(states: Sequence[Entries], path: Path) -> bytes:
    """Return the journal of a file DATA that says BASE, after all *states*."""
    journal = Journal(str(path))
    journal.begin(DATA, BASE)
    for state in states:
        assert journal.append(dict(state))
    return path.read_bytes() if path.exists() else b""


def recovered(path: Path, data: bytes = DATA) -> Entries:
    entries = dict(BASE)
    recover(str(path), data, entries)
    return entries


def replayed(journal: bytes) -> Entries:
    """Return what is read from *journal*, damaged or not."""
    entries = dict(BASE)
    with suppress(JournalError):
        replay(journal, DATA, entries)
    return entries


hypothesis_with_files = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)


@hypothesis_with_files
@given(states)
def test_what_is_written_is_read(tmp_path: Path, states: list[Entries]) -> None:
    path = tmp_path / "p.journal"
    written(states, path)
    assert recovered(path) == states[-1]


@hypothesis_with_files
@given(states, st.data())
def test_a_cut_journal_gives_a_state_that_was(
    tmp_path: Path, states: list[Entries], data: st.DataObject
) -> None:
    journal = written(states, tmp_path / "p.journal")
    size = data.draw(st.integers(0, len(journal)))
    assert replayed(journal[:size]) in [BASE, *states]


@hypothesis_with_files
@given(states, st.data())
def test_a_changed_byte_gives_a_state_that_was(
    tmp_path: Path, states: list[Entries], data: st.DataObject
) -> None:
    journal = bytearray(written(states, tmp_path / "p.journal"))
    if journal:
        at = data.draw(st.integers(0, len(journal) - 1))
        journal[at] ^= data.draw(st.integers(1, 255))
        with pytest.raises(JournalError):
            replay(bytes(journal), DATA, dict(BASE))
    assert replayed(bytes(journal)) in [BASE, *states]


@hypothesis_with_files
@given(states, st.binary(max_size=60))
def test_what_follows_a_torn_end_does_not_count(
    tmp_path: Path, states: list[Entries], garbage: bytes
) -> None:
    journal = written(states, tmp_path / "p.journal")
    assert replayed(journal[:-1] + garbage) in [BASE, *states]


@given(st.binary(max_size=200))
def test_anything_is_no_journal(journal: bytes) -> None:
    assert replayed(journal) == BASE


def test_a_line_counts_only_where_it_was_written(tmp_path: Path) -> None:
    states = [{"a": str(number)} for number in range(2, 6)]
    first, *lines = written(states, tmp_path / "p.journal").splitlines(keepends=True)
    for order, last in (((0, 1), 3), ((1, 0), 1), ((0, 2), 2), ((0, 0), 2)):
        journal = first + b"".join(lines[number] for number in order)
        assert replayed(journal) == {"a": str(last)}


def test_the_format() -> None:
    line, checksum = record({"k": "v", "gone": None, "ü": '"\n'}, 7)
    assert line.count(b"\n") == 1
    assert line.isascii()
    assert line[:9] == b"%08x " % checksum
    assert line[9:] == b'{"k":"v","gone":null,"\\u00fc":"\\"\\n"}\n'
    assert list(records(record({}, 0)[0])) == [{}]
    assert len(header(DATA)["sha256"]) == 64


@pytest.mark.parametrize(
    "text", [b"", b"x", b"\xff", b"[]", b"1", b'{"a":1}', b'{"a":["b"]}', b"[" * 10**5]
)
def test_what_has_a_checksum_and_is_no_record(text: bytes) -> None:
    head, checksum = record(header(DATA), 0)
    for before, start in ((b"", 0), (head, checksum)):
        line = b"%08x %s\n" % (crc32(text, start), text)
        with pytest.raises(JournalError, match=f"damaged at byte {len(before)}, "):
            replay(before + line, DATA, {})


def test_one_of_another_file_is_ignored(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "p.journal"
    written([{"a": "9"}], path)
    assert recovered(path, data=DATA + b"\n") == BASE
    (warning,) = caplog.records
    assert warning.levelno == logging.WARNING
    assert warning.getMessage() == f"{path}: of another file of positions, ignored"


def test_damage_is_told_once_and_where(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "p.journal"
    size = len(written([{"a": "8"}], path))
    journal = written([{"a": "8"}, {"a": "9"}, {"a": "10"}], path)
    path.write_bytes(journal[: size + 5] + b"\0" * 20)
    assert recovered(path) == {"a": "8"}
    assert [r.getMessage() for r in caplog.records] == [
        f"{path}: damaged at byte {size}, ignored from there on"
    ]


def test_an_unreadable_one_does_not_stop_the_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "p.journal"
    path.mkdir()
    assert recovered(path) == BASE
    assert "Is a directory" in caplog.text


def test_no_journal_is_no_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert recovered(tmp_path / "p.journal") == BASE
    assert caplog.records == []


def test_nothing_changed_nothing_written(tmp_path: Path) -> None:
    path = tmp_path / "p.journal"
    assert written([dict(BASE), dict(BASE)], path) == b""
    once = written([{"a": "2"}], path)
    assert written([{"a": "2"}, {"a": "2"}], path) == once
    assert path.stat().st_mode & 0o777 == 0o600


def test_nothing_is_written_before_the_file_is_known(tmp_path: Path) -> None:
    path = tmp_path / "p.journal"
    path.write_bytes(b"of the process before")
    assert not Journal(str(path)).append({"a": "2"})
    assert path.read_bytes() == b"of the process before"


def test_it_starts_anew_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "p.journal"
    journal = Journal(str(path))
    journal.begin(DATA, BASE)
    journal.append({"a": "2"})
    journal.begin(b"new", {"a": "2"})
    assert not path.exists()
    journal.append({"a": "2", "b": "1"})
    assert list(records(path.read_bytes()))[1:] == [{"b": "1"}]
    assert recovered(path, data=b"new") == {"a": "1", "b": "1"}


def test_one_that_cannot_be_removed_is_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "p.journal"
    journal = Journal(str(path))
    journal.begin(DATA, BASE)
    journal.append({"a": "2" * 1000})

    def refuse(_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "unlink", refuse)
    journal.begin(b"new", {"a": "3"})
    assert recovered(path, data=b"new") == BASE
    assert journal.append({"a": "4"})
    assert list(records(path.read_bytes())) == [header(b"new"), {"a": "4"}]


@pytest.mark.parametrize("damage", [os.unlink, lambda path: os.truncate(path, 10)])
def test_one_that_somebody_took_away_asks_for_a_save(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    path = tmp_path / "p.journal"
    journal = Journal(str(path))
    journal.begin(DATA, BASE)
    assert journal.append({"a": "2"})
    damage(path)
    assert not journal.append({"a": "3"})
    assert not journal.append({"a": "4"})
    assert recovered(path) == BASE
    journal.begin(b"new", {"a": "4"})
    assert journal.append({"a": "5"})
    assert recovered(path, data=b"new") == {"a": "5"}


def test_it_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "p.journal"
    monkeypatch.setattr(positions_journal, "MAX_BYTES", 1000)
    journal = Journal(str(path))
    journal.begin(DATA, BASE)
    count = 0
    while journal.append({"a": f"{count:0100}"}):
        count += 1
    assert count >= 5
    assert path.stat().st_size <= 1000
    assert not journal.append({"a": f"{count:0100}"})
    assert recovered(path) == {"a": f"{count - 1:0100}"}


def test_a_record_that_was_cut_short_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "p.journal"
    journal = Journal(str(path))
    journal.begin(DATA, BASE)
    journal.append({"a": "2"})
    with path.open("ab") as file:
        file.write(b"0123abcd {" + b"x" * 500)
    assert recovered(path) == {"a": "2"}
    assert journal.append({"a": "3"})
    assert list(records(path.read_bytes()))[1:] == [{"a": "2"}, {"a": "3"}]


def test_what_a_full_disk_refused_is_written_when_there_is_room(tmp_path: Path) -> None:
    path = tmp_path / "p.journal"
    journal = Journal(str(path))
    journal.begin(DATA, BASE)
    path.symlink_to("/dev/full")
    for value in ("2", "3"):
        with pytest.raises(OSError, match="No space left"):
            journal.append({"a": value})
    path.unlink()
    assert journal.append({"a": "3"})
    assert recovered(path) == {"a": "3"}
