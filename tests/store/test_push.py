# ruff: noqa: E501 -- Loki's texts, unbroken where they can be
from __future__ import annotations

import io
import json
import zlib
from typing import Any

import pytest
from aiohttp import FormData

from shipper.loki.encode import encode_push, encode_request
from shipper.pipeline.entry import Entry
from tests.shipper.wire.test_protobuf import PUSH_REQUEST
from tests.store.conftest import JSON, NOW, SECOND, Open, Store, snappy, zipped


PROTOBUF = {"Content-Type": "application/x-protobuf"}
DAY = 86400 * SECOND
STREAM = '{container="c", service_name="c"}'
TIME = "2023-11-14T22:13:20Z"  # NOW


async def test_json_and_protobuf_are_the_same_road(store: Store) -> None:
    assert await store.push([(NOW, "from json")]) == (204, "")
    body = encode_push('{container="c"}', [Entry(NOW + 1, b"from protobuf")])
    assert await store.send(body, **PROTOBUF) == (204, "")
    data = await store.data(
        "query_range",
        query='{container="c"}',
        start=NOW,
        end=NOW + 9,
        direction="forward",
    )
    assert data["result"] == [
        {
            "stream": {"container": "c", "service_name": "c"},
            "values": [[str(NOW), "from json"], [str(NOW + 1), "from protobuf"]],
        }
    ]


@pytest.mark.parametrize(
    ("headers", "pack"),
    [
        ({**JSON, "Content-Encoding": "gzip"}, zipped),
        ({**JSON, "Content-Encoding": "deflate"}, zlib.compress),
        ({**JSON, "Content-Encoding": "deflate"}, lambda b: zlib.compress(b)[2:-4]),
        ({"Content-Type": "application/json; charset=utf-8"}, bytes),
    ],
)
async def test_json_encodings(store: Store, headers: dict[str, str], pack: Any) -> None:
    values = [[str(NOW), "zipped line"]]
    body = json.dumps({"streams": [{"stream": {"container": "c"}, "values": values}]})
    assert await store.send(pack(body.encode()), **headers) == (204, "")
    assert await store.lines('{container="c"}') == [(NOW, "zipped line")]


@pytest.mark.parametrize(
    "headers", [PROTOBUF, {**PROTOBUF, "Content-Encoding": "snappy"}]
)
async def test_protobuf_headers(store: Store, headers: dict[str, str]) -> None:
    body = encode_push('{container="c"}', [Entry(NOW, b"x")])
    assert await store.send(body, **headers) == (204, "")


async def test_gzip_around_snappy(store: Store) -> None:
    body = zipped(encode_push('{container="c"}', [Entry(NOW, b"x")]))
    headers = {**PROTOBUF, "Content-Encoding": "gzip"}
    assert await store.send(body, **headers) == (204, "")


MANY = {f"label{n:02}": "x" for n in range(16)}
MANY_TEXT = ", ".join(f'{name}="x"' for name in sorted(MANY))


@pytest.mark.parametrize(
    ("labels", "lines", "status", "text"),
    [
        (
            None, [(NOW - 7 * DAY - SECOND, "x")], 400,
            (f"entry for stream '{STREAM}' has timestamp too old: 2023-11-07T22:13:19Z, "
            "oldest acceptable timestamp is: 2023-11-07T22:13:20Z\n"),
        ),
        (
            None, [(NOW + 601 * SECOND, "x")], 400,
            f"entry for stream '{STREAM}' has timestamp too new: 2023-11-14T22:23:21Z\n",
        ),
        (
            None, [(NOW, "x" * 300_000)], 400,
            (f"Max entry size '262144' bytes exceeded for stream '{STREAM}' while adding "
            "an entry with length '300000' bytes\n"),
        ),
        (
            MANY, [(NOW, "x")], 400,
            (f"entry for stream '{{{MANY_TEXT}, service_name=\"unknown_service\"}}' has "
            "16 label names; limit 15\n"),
        ),
        (
            {"a": "v" * 2049}, [(NOW, "x")], 400,
            (f"stream '{{a=\"{'v' * 2049}\", service_name=\"unknown_service\"}}' has "
            f"label value too long: '{'v' * 2049}'\n"),
        ),
        (
            {"n" * 1025: "v"}, [(NOW, "x")], 400,
            (f"stream '{{{'n' * 1025}=\"v\", service_name=\"unknown_service\"}}' has "
            f"label name too long: '{'n' * 1025}'\n"),
        ),
        (
            {"a.b": "v"}, [(NOW, "x")], 400,
            ("couldn't parse labels: 1:3: parse error: unexpected character inside "
            "braces: '.'\n"),
        ),
        (
            None, [(NOW, "x", {"k": "v" * 65536})], 400,
            (f"stream '{STREAM}' has structured metadata too large: '65537' bytes, limit: "
            "'65536' bytes. Please see `limits_config.max_structured_metadata_size` or "
            "contact your Loki administrator to increase it.\n"),
        ),
        (
            None, [(NOW, "x", {str(n): "v" for n in range(129)})], 400,
            (f"stream '{STREAM}' has too many structured metadata labels: '129', limit: "
            "'128'. Please see `limits_config.max_structured_metadata_entries_count` or "
            "contact your Loki administrator to increase it.\n"),
        ),
    ],
)  # fmt: skip
async def test_what_is_refused_before_storing(
    store: Store, labels: Any, lines: Any, status: int, text: str
) -> None:
    assert await store.push(lines, labels) == (status, text)
    assert await store.count('{service_name=~".+"}') == 0


async def test_the_valid_part_is_stored(store: Store) -> None:
    status, text = await store.push([(NOW, "good"), (NOW - 8 * DAY, "old")])
    assert status == 400
    assert text.startswith(f"entry for stream '{STREAM}' has timestamp too old: ")
    assert await store.lines('{container="c"}') == [(NOW, "good")]


async def test_several_errors_are_counted(store: Store) -> None:
    lines = [(NOW - 8 * DAY, "x"), (NOW - 8 * DAY, "y"), (NOW + DAY, "z")]
    status, text = await store.push(lines)
    assert (status, text) == (
        400,
        (
            f"2 errors like: entry for stream '{STREAM}' has timestamp too old: "
            "2023-11-06T22:13:20Z, oldest acceptable timestamp is: 2023-11-07T22:13:20Z; "
            f"1 errors like: entry for stream '{STREAM}' has timestamp too new: "
            "2023-11-15T22:13:20Z\n"
        ),
    )


async def test_a_label_given_twice(store: Store) -> None:
    body = encode_push('{a="1", a="2"}', [Entry(NOW, b"x")])
    assert await store.send(body, **PROTOBUF) == (
        400,
        (
            'stream \'{a="1", a="2", service_name="unknown_service"}\' has duplicate label '
            "name: 'a'\n"
        ),
    )


async def test_one_bad_label_text_refuses_the_whole_push(store: Store) -> None:
    good = encode_request('{container="c"}', [Entry(NOW, b"x")])
    bad = encode_request("{a.b='c'}", [Entry(NOW, b"x")])
    status, text = await store.send(snappy(good + bad), **PROTOBUF)
    assert (status, text[:22]) == (400, "couldn't parse labels:")
    assert await store.count() == 0


async def test_no_labels_become_unknown_service(store: Store) -> None:
    assert await store.push([(NOW, "x")], {}) == (204, "")
    assert await store.lines('{service_name="unknown_service"}') == [(NOW, "x")]


async def test_empty_pushes(store: Store) -> None:
    missing = "error at least one valid stream is required for ingestion\n"
    assert await store.push_streams([]) == (422, missing)
    assert await store.push([]) == (204, "")


@pytest.mark.parametrize(
    ("body", "headers", "text"),
    [
        (b"{", JSON, "loghttp.PushRequest: "),
        (b"[" * 100_000, JSON, "loghttp.PushRequest: "),
        (b'{"streams":[{"stream":{},"values":[[1,"x"]]}]}', JSON, "values[0]: Value is "),
        (b'{"streams":[{"stream":{},"values":[["a","x"]]}]}', JSON, "not a number: 'a'"),
        (b'{"streams":[{"values":[["1","x",{"a":1}]]}]}', JSON, "Value is string"),
        (b'{"streams":5}', JSON, "Value is array"),
        (b"\xff\xff\xff\xff\xff\xff", PROTOBUF, "snappy: corrupt input"),
        (b"\x05\x10abc", PROTOBUF, "snappy: corrupt input"),
        (snappy(b"\x0a\x05x"), PROTOBUF, "unexpected EOF"),
        (b"x", {**JSON, "Content-Encoding": "lzma"},
         'Content-Encoding "lzma" not supported'),
        (b"not gzip", {**JSON, "Content-Encoding": "gzip"}, "gzip"),
        (b"{}", {"Content-Type": "application/json; ="}, "mime: invalid media parameter"),
    ],
)  # fmt: skip
async def test_broken_bodies(
    store: Store, body: bytes, headers: dict[str, str], text: str
) -> None:
    status, answer = await store.send(body, **headers)
    assert status == 400
    assert text in answer
    assert "\n" in answer


async def test_a_body_may_not_unpack_without_end(opened: Open) -> None:
    async with opened(max_body_bytes=1 << 20) as store:
        bomb = zipped(b" " * (8 << 20))
        status, text = await store.send(bomb, **{**JSON, "Content-Encoding": "gzip"})
        assert status == 413
        assert text.startswith("request body too large: ")
        huge = snappy(b"\0" * (2 << 20))
        assert await store.send(huge, **PROTOBUF) == (
            413,
            (
                "request body too large: received message larger than max "
                "(2097152 vs 1048576)\n"
            ),
        )
        plain = io.BytesIO(b"x" * (2 << 20))
        assert (await store.send(plain, **PROTOBUF))[0] == 413
        assert await store.push([(NOW, "still there")]) == (204, "")


async def test_tenant_rate(store: Store) -> None:
    line = "x" * 1000
    lines = [(NOW + n, line) for n in range(6300)]
    body = encode_push('{container="c"}', [Entry(t, x.encode()) for t, x in lines])
    assert await store.send(body, **PROTOBUF) == (
        429,
        (
            "Ingestion rate limit exceeded for user fake (limit: 4194304 bytes/sec) while "
            "attempting to ingest '6300' lines totaling '6300000' bytes, reduce log volume "
            "or contact your Loki administrator to see if the limit can be increased\n"
        ),
    )
    assert await store.count() == 0


async def test_a_push_over_4_mib(store: Store) -> None:
    entries = [Entry(NOW + n, b"x" * 1000) for n in range(1, 4200)]
    body = encode_push('{container="c"}', entries)
    message = PUSH_REQUEST()
    stream = message.streams.add(labels=STREAM.encode(), hash=1 << 63)
    for entry in entries:
        added = stream.entries.add(line=entry.line)
        added.ts.sec, added.ts.nanos = divmod(entry.timestamp_ns, SECOND)
    assert await store.send(body, **PROTOBUF) == (
        500,
        (
            "rpc error: code = ResourceExhausted desc = grpc: received message larger than "
            f"max ({message.ByteSize()} vs. 4194304)\n"
        ),
    )
    assert await store.count() == 0


async def test_stream_rate_is_all_or_nothing(opened: Open) -> None:
    async with opened(per_stream_burst_bytes=1000) as store:
        assert await store.push([(NOW, "x" * 600)]) == (204, "")
        status, text = await store.push([(NOW + 1, "y" * 300), (NOW + 2, "z" * 300)])
        reason = (
            "Per stream rate limit exceeded (limit: 3MB/sec) while attempting to ingest "
            f"for stream '{STREAM}' totaling 300B, consider splitting a stream via "
            "additional labels or contact your Loki administrator to see if the limit "
            "can be increased"
        )
        assert (status, text) == (
            429,
            (
                "entry with timestamp 2023-11-14 22:13:20.000000001 +0000 UTC ignored, "
                f"reason: '{reason}',\n"
                "entry with timestamp 2023-11-14 22:13:20.000000002 +0000 UTC ignored, "
                f"reason: '{reason}',\n"
                f"user 'fake', total ignored: 2 out of 2 for stream: {STREAM}\n"
            ),
        )
        store.clock.now += SECOND
        assert (await store.push([(NOW + 1, "y" * 300)]))[0] == 204


async def test_stream_limit_counts_active_streams(opened: Open) -> None:
    async with opened(max_streams=1) as store:
        assert await store.push([(NOW, "x")], {"a": "1"}) == (204, "")
        assert await store.push([(NOW, "x")], {"a": "2"}) == (
            429,
            (
                "Maximum active stream limit exceeded when trying to create stream "
                '{a="2", service_name="unknown_service"}, reduce the number of active '
                "streams (reduce labels or reduce label values), or contact your Loki "
                "administrator to see if the limit can be increased, user: 'fake'\n"
            ),
        )
        store.clock.now += 1801 * SECOND
        assert await store.push([(NOW, "x")], {"a": "2"}) == (204, "")


async def test_too_far_behind(store: Store) -> None:
    assert await store.push([(NOW, "newest")]) == (204, "")
    hour = 3600 * SECOND
    status, text = await store.push([(NOW - hour - 1, "late"), (NOW - hour, "in time")])
    assert (status, text) == (
        400,
        (
            "entry with timestamp 2023-11-14 21:13:19.999999999 +0000 UTC ignored, reason: "
            "'entry too far behind, entry timestamp is: 2023-11-14T21:13:19Z, oldest "
            "acceptable timestamp is: 2023-11-14T21:13:20Z',\n"
            f"user 'fake', total ignored: 1 out of 2 for stream: {STREAM}\n"
        ),
    )
    assert await store.count() == 2


async def test_an_idle_stream_takes_old_lines_again(store: Store) -> None:
    assert await store.push([(NOW, "newest")]) == (204, "")
    store.clock.now += 1801 * SECOND
    assert await store.push([(NOW - 2 * 3600 * SECOND, "old")]) == (204, "")


async def test_a_refused_stream_is_never_hidden_by_a_later_one(store: Store) -> None:
    await store.push([(NOW, "newest")])
    late = ({"container": "c"}, [[str(NOW - 7200 * SECOND), "late"]])
    fine = ({"container": "d"}, [[str(NOW), "fine"]])
    status, text = await store.push_streams([late, fine])
    assert (status, text[:28]) == (400, "entry with timestamp 2023-11")
    assert await store.lines('{container="d"}') == [(NOW, "fine")]


async def test_a_line_is_stored_once(store: Store) -> None:
    lines = [(NOW, "same"), (NOW, "other"), (NOW, "same"), (NOW + 1, "same")]
    for _ in range(3):
        assert await store.push(lines) == (204, "")
    expected = [(NOW, "same"), (NOW, "other"), (NOW + 1, "same")]
    assert await store.lines('{container="c"}', direction="forward") == expected
    assert await store.lines('{container="c"}') == expected[::-1]


async def test_metadata_makes_no_difference_to_duplicates(store: Store) -> None:
    await store.push([(NOW, "x", {"k": "1"})])
    await store.push([(NOW, "x", {"k": "2"})])
    assert await store.count() == 1


async def test_lines_that_are_not_utf8_are_kept(store: Store) -> None:
    body = encode_push('{container="c"}', [Entry(NOW, b"\xff\x00ok")])
    assert await store.send(body, **PROTOBUF) == (204, "")
    assert await store.lines('{container="c"} |= "ok"') == [(NOW, "\ufffd\x00ok")]


@pytest.mark.parametrize(
    ("header", "status", "text"),
    [
        (None, 401, "no org id"),
        ("a/b", 400, "tenant ID 'a/b' contains unsupported character '/'"),
        ("x" * 151, 400, "tenant ID is too long: max 150 characters"),
        ("..", 400, "tenant ID is '.' or '..'"),
    ],
)
async def test_bad_tenants(
    opened: Open, header: str | None, status: int, text: str
) -> None:
    async with opened(auth_enabled=True) as store:
        headers = {} if header is None else {"X-Scope-OrgID": header}
        assert await store.push([(NOW, "x")], **headers) == (status, text + "\n")


async def test_tenants_do_not_see_each_other(opened: Open) -> None:
    async with opened(auth_enabled=True) as store:
        for tenant in ("a", "b"):
            headers = {"X-Scope-OrgID": tenant}
            assert await store.push([(NOW, f"of {tenant}")], **headers) == (204, "")
        async with store.client.get(
            "/loki/api/v1/query_range",
            params={"query": '{container="c"}', "start": NOW, "end": NOW + 9},
            headers={"X-Scope-OrgID": "a"},
        ) as response:
            result = (await response.json())["data"]["result"]
        assert [value[1] for value in result[0]["values"]] == ["of a"]


async def test_other_methods_and_paths(store: Store) -> None:
    async with store.client.get("/loki/api/v1/push") as response:
        assert response.status == 405
    async with store.client.get("/nothing") as response:
        assert (response.status, await response.text()) == (404, "404 page not found\n")
    form = FormData({"query": '{container="c"}'})
    async with store.client.post("/loki/api/v1/query_range", data=form) as response:
        assert response.status == 200


async def test_a_restart_forgets_nothing(opened: Open) -> None:
    async with opened() as store:
        await store.push([(NOW, "before")])
    async with opened() as store:
        await store.push([(NOW, "before"), (NOW, "after")])
        found = await store.lines('{container="c"}', direction="forward")
        assert found == [(NOW, "before"), (NOW, "after")]
        status, _ = await store.push([(NOW - 7200 * SECOND, "late")])
        assert status == 400  # the window is remembered, as after Loki's WAL replay
