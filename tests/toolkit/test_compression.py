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
        ("GZIP", False),  # upstream compares as it is written
        ("gzip;level=9", False),  # and reads no further than what it understands
        ("br;level=9, gzip", False),
        ("gzip ;\tq=1.", True),
        ("gzip;q=2", False),
        ("gzip;q=1.5;x, identity", True),
        (",gzip", False),
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
    assert wants_gzip([header]) is wanted


def test_each_header_is_read_for_itself() -> None:
    assert wants_gzip(["br;level=9", "gzip"])
    assert not wants_gzip(["identity", "gzip"])
    assert not wants_gzip([])


@given(st.text(st.sampled_from("gzip*;q=01., identity/\t")))
def test_a_header_may_be_anything(header: str) -> None:
    assert wants_gzip([header]) in {True, False}


@given(st.binary())
def test_compressed_is_gzip(body: bytes) -> None:
    assert gzip.decompress(compress(body)) == body
    assert gzip.decompress(compress_slowly(body)) == body
