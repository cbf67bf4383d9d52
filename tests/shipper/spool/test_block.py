from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from shipper.spool.block import (
    HEADER_BYTES,
    MAGIC,
    BlockError,
    check,
    decode_body,
    decode_head,
    encode_block,
    parse_header,
)


heads = st.dictionaries(st.text(), st.integers() | st.text())


def decode(block: bytes) -> tuple[dict[str, Any], bytes]:
    header, content = parse_header(block[:HEADER_BYTES]), block[HEADER_BYTES:]
    check(header, content)
    return decode_head(header, content), decode_body(header, content)


@given(heads, st.binary(max_size=500))
def test_blocks_are_read_as_written(head: dict[str, Any], body: bytes) -> None:
    block = encode_block(head, body)
    assert decode(block) == (head, body)
    assert parse_header(block).size == len(block)


@given(st.binary(max_size=100), st.data())
def test_a_damaged_block_is_recognised(body: bytes, data: st.DataObject) -> None:
    block = bytearray(encode_block({"a": 1}, body))
    at = data.draw(st.integers(0, len(block) - 1))
    block[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(BlockError):
        decode(bytes(block))


@given(st.binary(max_size=100), st.data())
def test_a_torn_block_is_recognised(body: bytes, data: st.DataObject) -> None:
    block = encode_block({"a": 1}, body)
    with pytest.raises(BlockError):
        decode(block[: data.draw(st.integers(0, len(block) - 1))])


def test_sizes_are_checked_before_they_are_believed() -> None:
    header = MAGIC + b"\xff" * 12
    with pytest.raises(BlockError, match="expected b'SPL1' and two sizes"):
        parse_header(header)


def test_a_block_of_something_else() -> None:
    block = encode_block([], b"")  # type: ignore[arg-type]
    with pytest.raises(BlockError, match="the head is no map"):
        decode(block)
