from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from shipper.loki.body import Body, Stream, json_body, protobuf_body
from shipper.loki.encode import encode_push
from shipper.pipeline.entry import Entry


WEB = Stream.of((("app", 'we"b'), ("stream", "stdout")))


def read(body: Body) -> Any:
    return json.loads(gzip.decompress(body.data))


def test_json_as_loki_wants_it() -> None:
    entries = [
        Entry(1_795_360_482_000_000_001, b'say "hi"\\\n\x00'),
        Entry(-1, "größe 日本".encode(), (("trace_id", "a"), ("k", "ü"))),
    ]
    assert read(json_body(WEB, entries)) == {
        "streams": [
            {
                "stream": {"app": 'we"b', "stream": "stdout"},
                "values": [
                    ["1795360482000000001", 'say "hi"\\\n\x00'],
                    ["-1", "größe 日本", {"trace_id": "a", "k": "ü"}],
                ],
            }
        ]
    }


def test_protobuf_is_what_promtail_sends() -> None:
    entries = [Entry(1, b"\xff")]
    assert protobuf_body(WEB, entries) == Body(encode_push(WEB.text, entries))


@pytest.mark.parametrize(
    ("line", "text", "count"),
    [
        (b"fine", "fine", 0),
        ("a \ufffd in it".encode(), "a \ufffd in it", 0),
        (b"\xff", "\ufffd", 1),
        (b"caf\xe9 \xff\xfe!", "caf\ufffd \ufffd\ufffd!", 3),
        (b"cut \xe6\x97", "cut \ufffd", 2),
    ],
)
def test_bytes_that_are_no_utf8(line: bytes, text: str, count: int) -> None:
    body = json_body(WEB, [Entry(1, line), Entry(2, b"ok")])
    (stream,) = read(body)["streams"]
    assert [value[1] for value in stream["values"]] == [text, "ok"]
    assert (body.replaced_entries, body.replaced_bytes) == (min(count, 1), count)


def test_labels_and_metadata_that_are_no_utf8() -> None:
    odd = b"\xff".decode("utf-8", "surrogateescape")
    body = json_body(Stream.of(((odd, odd),)), [Entry(1, b"", ((odd, odd),))])
    (stream,) = read(body)["streams"]
    assert stream == {
        "stream": {"\ufffd": "\ufffd"},
        "values": [["1", "", {"\ufffd": "\ufffd"}]],
    }


@given(
    st.lists(
        st.builds(
            Entry,
            st.integers(-(2**63), 2**63 - 1),
            st.binary(max_size=50),
            st.lists(st.tuples(st.text(), st.text()), max_size=3).map(tuple),
        )
    )
)
def test_every_entry_is_json_and_what_is_text_stays(entries: list[Entry]) -> None:
    (stream,) = read(json_body(WEB, entries))["streams"]
    assert [value[:2] for value in stream["values"]] == [
        [str(entry.timestamp_ns), entry.line.decode("utf-8", "replace")]
        for entry in entries
    ]
