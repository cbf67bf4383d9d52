"""Compare two answers: status, headers and what both can have of the body."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.nginx.oracle.running import Answer


def different(theirs: Answer, ours: Answer) -> dict[str, str]:
    """Return what of the two differs, with both sides of it."""
    them, us = [
        {"status": str(answer.status), "body": str(common(answer)), **answer.headers}
        for answer in (theirs, ours)
    ]
    return {
        what: f"theirs {them.get(what)}, ours {us.get(what)}"
        for what in them.keys() | us.keys()
        if them.get(what) != us.get(what)
    }


def common(answer: Answer) -> list[bytes]:
    """Return of *answer* what both have: metrics of nginx, or the words of a page."""
    kind = answer.headers.get("content-type", "")
    if kind.startswith("text/html"):
        return words(answer.body)
    if "encoding=delimited" in kind:
        pieces = list(messages(answer.body))
    elif "proto=" in kind:  # Go's prototext adds spaces, other ones in each build
        end = rb"\n\n" if "encoding=text" in kind else rb"\n"
        pieces = re.split(end, re.sub(rb" +", b" ", answer.body))
    elif "version=" in kind:
        pieces = answer.body.splitlines()
    else:
        return [answer.body]
    return [piece for piece in pieces if re.search(rb"nginx_(?!exporter)", piece)]


def messages(body: bytes) -> Iterator[bytes]:
    """Split protobuf messages of less than 16 KiB, each behind its length."""
    while body:
        length, start = body[0], 1
        if length & 0x80:
            length, start = (length & 0x7F) | body[1] << 7, 2
        yield body[start : start + length]
        body = body[start + length :]


def words(page: bytes) -> list[bytes]:
    """Return what a reader sees, without the version and Go's profiles (all 404)."""
    for unseen in (rb"(?s)<style>.*</style>", rb"(?s)<div id=.pprof.*", rb"<[^>]*>"):
        page = re.sub(unseen, b"", page)
    page = re.sub(rb"version=[^,]*, branch=[^,]*, revision=[^)]*", b"", page)
    return page.split()
