from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from exporters.node.storage import bcache


WRITEBACK = (
    b"rate:\t\t1.5M/sec\ndirty:\t\t20.4G\ntarget:\t\t7.0k\nproportional:\t-427\n"
    b"integral:\t2k\nchange:\t\t-1k/sec\nnext io:\t-17ms\n"
)


def test_writeback() -> None:
    assert bcache.parse_writeback(WRITEBACK) == {
        "rate": int((1 + 5 / 10.24) * 2**20),
        "target": 7168,
        "proportional": -427,
        "integral": 2048,
        "change": -1024,
    }


def test_writeback_of_an_empty_file_is_zeros() -> None:
    assert set(bcache.parse_writeback(b"\n").values()) == {0}


@pytest.mark.parametrize("line", [b"rate:\n", b"target: x\n", b"change: 1/min\n"])
def test_writeback_names_the_line(line: bytes) -> None:
    name = line.partition(b":")[0].decode()
    with pytest.raises(ValueError, match=f"^{name}: expected a number such as"):
        bcache.parse_writeback(line)


def test_priorities() -> None:
    data = b"Unused:\t\t3%\nClean:\t\t88%\nMetadata:\t1%\nQuantiles:\t[1 2 3]\n"
    assert bcache.parse_priorities(data) == {"unused": 3, "metadata": 1}
    with pytest.raises(ValueError, match="expected an unsigned integer"):
        bcache.parse_priorities(b"Unused:\n")


def test_numbers_that_are_missing_are_0(tmp_path: Path) -> None:
    (tmp_path / "internal").mkdir()
    (tmp_path / "internal/btree_nodes").write_text("12\n", "ascii")
    found = bcache.read_numbers(str(tmp_path), ["internal/btree_nodes", "congested"])
    assert found == {"internal/btree_nodes": 12, "congested": 0}


def test_a_number_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "congested").touch()
    with pytest.raises(ValueError, match=r"^congested: expected a number such as"):
        bcache.read_numbers(str(tmp_path), ["congested"])


@given(st.lists(st.sampled_from([b"Unused", b"rate", b":", b" ", b"%"]) | st.binary()))
def test_rubbish_raises_only_value_error(parts: list[bytes]) -> None:
    for parse in (bcache.parse_writeback, bcache.parse_priorities):
        with contextlib.suppress(ValueError):
            parse(b"\n".join(parts) + b"".join(parts))
