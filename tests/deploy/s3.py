"""An object store that keeps everything in memory: as much of S3 as Loki asks for."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape


LISTING = (
    '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult '
    'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><IsTruncated>false</IsTruncated>'
    "<KeyCount>{count}</KeyCount>{rows}</ListBucketResult>"
)
OBJECT = (
    "<Contents><Key>{key}</Key><Size>{size}</Size><ETag>&quot;0&quot;</ETag>"
    "<LastModified>2026-11-26T12:00:00.000Z</LastModified></Contents>"
)
PREFIX = "<CommonPrefixes><Prefix>{prefix}</Prefix></CommonPrefixes>"


@dataclass
class Bucket:
    """The objects by key, and who signed what was asked."""

    objects: dict[str, bytes] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    endpoint: str = ""

    def listing(self, query: dict[str, list[str]]) -> str:
        """Return the answer of ListObjectsV2."""
        prefix = query.get("prefix", [""])[0]
        delimiter = query.get("delimiter", [""])[0]
        rows: dict[str, str] = {}
        for key, body in sorted(self.objects.items()):
            if not key.startswith(prefix):
                continue
            head, cut, _ = key[len(prefix) :].partition(delimiter or "\0")
            if cut:
                folder = prefix + head + cut
                rows[folder] = PREFIX.format(prefix=escape(folder))
            else:
                rows[key] = OBJECT.format(key=escape(key), size=len(body))
        return LISTING.format(count=len(rows), rows="".join(rows.values()))


@contextmanager
def object_store() -> Iterator[Bucket]:
    """Serve one bucket, whatever its name, on the loopback."""
    bucket = Bucket()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            length = int(self.headers["Content-Length"])
            bucket.objects[self._key()] = self.rfile.read(length)
            self._answer(200, b"")

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            key = self._key()
            if not key:
                listing = bucket.listing(parse_qs(parts.query))
                self._answer(200, listing.encode())
            elif key in bucket.objects:
                self._answer(200, bucket.objects[key])
            else:
                self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")

        do_HEAD = do_GET  # noqa: N815 -- the name that http.server looks for

        def do_DELETE(self) -> None:
            bucket.objects.pop(self._key(), None)
            self._answer(204, b"")

        def _key(self) -> str:
            """Return the object's key, nothing for the bucket itself."""
            signed = re.search(r"Credential=([^/]+)/", self.headers["Authorization"])
            bucket.keys.add(signed[1] if signed else "")
            path = unquote(urlsplit(self.path).path).lstrip("/")
            return path.partition("/")[2]

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", '"0"')
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        bucket.endpoint = f"127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield bucket
        finally:
            server.shutdown()
            thread.join()
