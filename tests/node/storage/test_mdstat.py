from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, strategies as st

from exporters.node.storage.mdstat import Array, parse, sections


BLOCKS = b"      976630464 blocks super 1.2 [2/2] [UU]"
BAR = b"      [===>.................]  %s = 17.0%% (166027264/976630464) finish=7.3min"


def array(header: bytes, *lines: bytes) -> Array:
    (section,) = sections(b"\n".join([header, *lines, b"      ", b"", b""]))
    return parse(section[1])


@pytest.mark.parametrize(
    ("line", "state", "synced"),
    [
        (b"      ", "active", 976630464),
        (BAR % b"recovery", "recovering", 166027264),
        (BAR % b"reshape", "reshape", 166027264),
        (BAR % b"check", "check", 166027264),
        (BAR % b"resync", "resync", 166027264),
        (b"\tresync=DELAYED", "resync", 0),
        (b"      \tresync=PENDING", "resync", 0),
        (b"      \tresync=REMOTE", "resync", 0),
        (b"      recovery=DELAYED", "recovering", 0),
    ],
)
@pytest.mark.parametrize("bitmap", [(), (b"      bitmap: 1/8 pages [4KB]",)])
def test_what_is_done(
    line: bytes, state: str, synced: int, bitmap: tuple[bytes, ...]
) -> None:
    header = b"md1 : active raid1 sdb1[1] sda1[0]"
    expected = Array("md1", state, 2, 2, 0, 0, 976630464, synced)
    assert array(header, BLOCKS, *bitmap, line) == expected
    assert array(header, BLOCKS, line, *bitmap) == expected


@pytest.mark.parametrize(
    ("header", "blocks", "expected"),
    [
        (
            b"md4 : active raid1 sda3[0](F) sdb3[1](S) sdc3[2](W)",
            b"      488 blocks [2/1] [_U]",
            Array("md4", "active", 2, 1, 1, 1, 488, 488),
        ),
        (
            b"md5 : active (read-only) raid5 sda[4] sdb[2] sdc[1] sdd[0](J)",
            b"      99 blocks super 1.2 level 5, 64k chunk, algorithm 2 [3/3] [UUU]",
            Array("md5", "active", 3, 3, 0, 0, 99, 99),
        ),
        (
            b"md6 : active (auto-read-only) raid0 sdb[1] sda[0]",
            b"      7 blocks 64k chunks",
            Array("md6", "active", 2, 2, 0, 0, 7, 7),
        ),
        (
            b"md7 : active linear sda[0] sdb[1] sdc[2]",
            b"      8 blocks super 1.2 0k rounding",
            Array("md7", "active", 3, 3, 0, 0, 8, 8),
        ),
        (
            b"md8 : broken raid0 sda[0]",
            b"      8 blocks super 1.2 512k chunks",
            Array("md8", "broken", 1, 1, 0, 0, 8, 8),
        ),
        (
            b"md9 : inactive sdb[2](S) sda[0](S)",
            b"        7932 blocks super external:imsm",
            Array("md9", "inactive", 0, 0, 0, 2, 7932, 7932),
        ),
        (
            b"md_raid0 : active raid1 sda[0] sdb[1]",  # only a name
            b"      9 blocks super 1.2 [2/2] [UU]",
            Array("md_raid0", "active", 2, 2, 0, 0, 9, 9),
        ),
        (
            b"md10 : active raid10 sda[0] sdb[1]",
            b"      9 blocks super 1.2 2 near-copies [2/2] [UU]",
            Array("md10", "active", 2, 2, 0, 0, 9, 9),
        ),
    ],
)
def test_arrays(header: bytes, blocks: bytes, expected: Array) -> None:
    assert array(header, blocks) == expected


def test_sections_are_the_arrays_and_where_they_begin() -> None:
    data = (
        b"Personalities : [raid1]\n"
        b"md0 : active raid1 sda[0]\n      1 blocks [1/1] [U]\n      \n"
        b"md1 : inactive sdb[0]\n      2 blocks\n       \n"
        b"unused devices: <none>\n"
    )
    found = [(number, lines[0][:3]) for number, lines in sections(data)]
    assert found == [(2, b"md0"), (5, b"md1")]
    assert list(sections(b"Personalities :\nunused devices: <none>\n")) == []


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ([b"md0 :", BLOCKS, b"", b""], "expected 'name : state ...', got b'md0 :'"),
        ([b"md0 : active raid1 sda[0]", BLOCKS], "expected 4 lines of an array, got 2"),
        (
            [
                b"md0 : active raid1 super non-persistent [2/0] [__]",
                b"      ",
                b"",
                b"",
            ],
            "expected a line with the number of blocks, got none",
        ),
        ([b"md0 : active raid1 a[0]", b" ? blocks", b"", b""], "expected an unsigned"),
        (
            [b"md0 : active faulty a[0]", b" 5 blocks nfaults=0", b"", b""],
            r"expected 'N blocks \.\.\. \[N/N\] \[UU\]', got b' 5 blocks nfaults=0'",
        ),
        (
            [b"md0 : active raid1 a[0]", BLOCKS, b"  resync = soon", b""],
            r"expected '\(done/all\)' of a resync, got b'  resync = soon'",
        ),
    ],
)
def test_what_is_refused(lines: list[bytes], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse(lines)


WORDS = st.sampled_from(
    [b"md0", b" ", b":", b"active", b"inactive", b"raid1", b"raid0", b"sda[0](F)",
     b"\n", b"\t", b"9", b"blocks", b"[2/1] [U_]", b"recovery", b"resync=", b"DELAYED",
     b"(1/2)", b"bitmap", b"(", b"unused", b"9" * 5000, b"\xff", b"\0"]
)  # fmt: skip


@given(st.lists(WORDS | st.binary(max_size=8), max_size=60).map(b"".join))
def test_rubbish_raises_only_value_error(data: bytes) -> None:
    for _, lines in sections(data):
        with contextlib.suppress(ValueError):
            parse(lines)
