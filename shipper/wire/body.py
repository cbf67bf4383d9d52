"""The body of a push: how much of it is read, and what its headers make of it.

aiohttp has already undone ``Content-Encoding: gzip`` and ``deflate``, in pieces of
bounded size, so the limit below holds for what comes out of a decompression bomb too.
Counterpart of pkg/loghttp/push/push.go ParseLokiRequest (3.4).
"""

from __future__ import annotations

import re
from typing import Final

import cramjam
from aiohttp import web, web_protocol
from aiohttp.http_exceptions import HttpProcessingError

from shipper.wire import jsonpush, protobuf
from shipper.wire.errors import Answer, DecodeError, failure
from shipper.wire.model import PushStream


_ENCODINGS: Final = frozenset({"", "snappy", "gzip", "deflate"})
_MEDIA_TYPE: Final = re.compile(r"[\w!#$%&'*+.^`|~-]+(/[\w!#$%&'*+.^`|~-]+)?")
_PARAMETER: Final = re.compile(r'\s*[\w!#$%&\'*+.^`|~-]+\s*=\s*("[^"]*"|[^\s;"]+)\s*')


async def read_body(request: web.Request, most: int) -> bytes:
    """Return the body of *request*, decompressed, of at most *most* bytes.

    Raises Answer: 413 beyond *most*, 400 for a broken gzip or deflate stream or an
    encoding that Loki does not take.
    """
    encoding = request.headers.get("Content-Encoding", "")
    if encoding not in _ENCODINGS:
        raise Answer(400, f'Content-Encoding "{encoding}" not supported')
    if (request.content_length or 0) > most:
        raise too_large(request.content_length or 0, most)
    body = bytearray()
    try:
        async for chunk in request.content.iter_chunked(65536):
            body += chunk
            if len(body) > most:
                raise too_large(len(body), most)
    except (web_protocol.RequestPayloadError, HttpProcessingError) as error:
        raise Answer(400, f"{encoding or 'body'}: {failure(error)}") from None
    return bytes(body)


def parse_body(body: bytes, content_type: str, most: int) -> list[PushStream]:
    """Return the streams of the push *body*. Raises Answer 400, or 413 past *most*.

    No content type, or any other than JSON, is snappy and protobuf.
    """
    try:
        if _media_type(content_type) == "application/json":
            return jsonpush.decode_push(body)
        return protobuf.decode_push(_unsnap(body, most))
    except DecodeError as error:
        raise Answer(400, str(error)) from None


def too_large(size: int, most: int) -> Answer:
    """Return the answer to a body of *size* bytes (Loki 3.6 and later)."""
    return Answer(
        413,
        f"request body too large: received message larger than max ({size} vs {most})",
    )


def _media_type(text: str) -> str:
    """Return the media type of a Content-Type, parameters checked as Go's mime does."""
    first, *parameters = text.split(";")
    kind = first.strip().lower()
    if kind and _MEDIA_TYPE.fullmatch(kind) is None:
        raise Answer(400, "mime: expected token after slash")
    if any(p.strip() and _PARAMETER.fullmatch(p) is None for p in parameters):
        raise Answer(400, "mime: invalid media parameter")
    return kind


def _unsnap(body: bytes, most: int) -> bytes:
    size = _decoded_length(body)
    if size > most:
        raise too_large(size, most)
    try:
        return bytes(cramjam.snappy.decompress_raw(body))
    except cramjam.DecompressionError:
        raise Answer(400, "snappy: corrupt input") from None


def _decoded_length(body: bytes) -> int:
    """Return what the block says it holds: its first varint, 32 bits."""
    size = 0
    for index, byte in enumerate(body[:5]):
        size |= (byte & 0x7F) << 7 * index
        if byte < 0x80 and size < 1 << 32:
            return size
    raise Answer(400, "snappy: corrupt input")
