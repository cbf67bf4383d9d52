"""Choose and make gzip bodies (client_golang ``promhttp``, gddo ``httputil``)."""

from __future__ import annotations

import functools
import re
import zlib
from collections.abc import Callable, Iterable, Iterator


# One coding of an Accept-Encoding header, and its q if it has parameters.
_CODING = re.compile(r"([!#$%&'*+\-.^_`|~0-9A-Za-z/]+)[ \t\r\n]*", re.ASCII)
_QUALITY = re.compile(r";[ \t\r\n]*q=([01](?:\.[0-9]*)?)[ \t\r\n]*", re.ASCII)
_COMMA = re.compile(r",[ \t\r\n]*")


def wants_gzip(headers: Iterable[str]) -> bool:
    """Return whether Accept-Encoding *headers* prefer gzip to an uncompressed body.

    As gddo ``NegotiateContentEncoding``: identity is
    offered first, so gzip must be named with a higher q; ``gzip;q=0`` refuses it.
    """
    best = {"identity": -1.0, "gzip": -1.0}
    for header in headers:
        for coding, quality in _codings(header):
            for offer, known in best.items():
                if coding in {offer, "*"}:
                    best[offer] = max(known, quality)
    return best["gzip"] > max(best["identity"], 0.0)


def _codings(header: str) -> Iterator[tuple[str, float]]:
    """Return what *header* says up to the first thing that is not understood."""
    place = 0
    while found := _CODING.match(header, place):
        coding, quality, place = found[1], 1.0, found.end()
        if header.startswith(";", place):
            found = _QUALITY.match(header, place)
            if found is None:
                return
            quality, place = float(found[1]), found.end()
        yield coding, quality
        comma = _COMMA.match(header, place)
        if comma is None:
            return
        place = comma.end()


def compress(body: bytes) -> bytes:
    """Return *body* gzipped, fast rather than small (0.06 ms for 100 kB)."""
    return _compressor()(body)


@functools.cache
def _compressor() -> Callable[[bytes], bytes]:
    try:
        from isal import igzip  # noqa: PLC0415 -- a platform may have no wheel of it
    except ImportError:
        return compress_slowly
    return functools.partial(igzip.compress, compresslevel=1)


def compress_slowly(body: bytes) -> bytes:
    """Return *body* gzipped by the standard library."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()
