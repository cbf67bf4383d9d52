from __future__ import annotations

import gzip

import pytest
from hypothesis import given, strategies as st

from exporters.toolkit.compression import compress, compress_slowly, wants_gzip


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("", False),
        ("gzip", True),
        ("GZIP", True),
        ("gzip, deflate", True),
        ("deflate, gzip;q=1.0, *;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip;q=0.0, identity", False),
        ("identity;q=1, gzip;q=0.5", False),
        ("identity, gzip", False),  # equal: identity is offered first
        ("identity;q=0.1,gzip", True),
        ("*", False),
        ("*;q=0", False),
        ("zstd, br", False),
        ("gzip;q=abc", False),
        ("gzip; q=0.5", True),
    ],
)
def test_gzip_negotiation(header: str, wanted: bool) -> None:
    assert wants_gzip(header) is wanted


@given(st.binary())
def test_compressed_is_gzip(body: bytes) -> None:
    assert gzip.decompress(compress(body)) == body
    assert gzip.decompress(compress_slowly(body)) == body
