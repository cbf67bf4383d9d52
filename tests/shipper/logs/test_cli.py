from __future__ import annotations

import asyncio
import io
import os
import socket
import sys

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from shipper.logs.cli import main
from tests.shipper.logs.conftest import COMMAND, FAR, NOW, SECOND, Logs, Store, jsonl


DB = {"container_name": "db", "stream": "stderr"}


async def test_lines_of_a_bare_word_oldest_first(store: Store, logs: Logs) -> None:
    await store.push([(NOW, "one"), (NOW + SECOND, "two")])
    await store.push([(NOW, "other")], DB)
    code, out, err = await logs("web", *FAR)
    assert (code, out) == (
        0,
        "2023-11-14T22:13:20.000Z one\n2023-11-14T22:13:21.000Z two\n",
    )
    assert err == 'all have {container_name="web", stream="stdout"}\n'
    code, out, err = await logs('web |= "two"', "-q", "-o", "raw", *FAR)
    assert (code, out, err) == (0, "two\n", "")


async def test_which_lines_and_in_which_order(store: Store, logs: Logs) -> None:
    await store.push([(NOW + n, str(n)) for n in range(5)])

    async def texts(*flags: str) -> str:
        code, out, _ = await logs("web", "-o", "raw", *FAR, *flags)
        assert code == 0
        return "".join(out.split())

    assert await texts("--limit", "2") == "34"
    assert await texts("--limit", "2", "--forward") == "01"
    assert await texts("--limit", "2", "--newest-first") == "43"
    assert await texts("--limit", "2", "--newest-first", "--forward") == "10"
    assert await texts("--limit", "0") == "01234"
    assert await texts("--limit", "0", "--newest-first", "--batch", "2") == "43210"


@pytest.mark.parametrize("flags", [(), ("--newest-first",)])
async def test_all_lines_over_pages_with_one_time_at_the_border(
    store: Store, logs: Logs, flags: tuple[str, ...]
) -> None:
    # Each page of 1000 ends amid lines of one time; one time has more than a page.
    wide = [(NOW, f"w{n}") for n in range(1500)]
    values = [(NOW + 1 + n // 7, f"n{n}") for n in range(6000)]
    await store.push([*wide, *values])
    code, out, _ = await logs("web", "--limit", "0", "-o", "raw", *FAR, *flags)
    expected = [text for _, text in [*wide, *values]]
    assert code == 0
    assert out.split() == (expected[::-1] if flags else expected)


async def test_a_server_that_gives_less_than_a_batch(store: Store, logs: Logs) -> None:
    await store.stop()
    await store.start(max_entries=100)
    await store.push([(NOW + n // 60, str(n)) for n in range(450)])
    code, out, _ = await logs("web", "--limit", "0", "-o", "raw", *FAR)
    assert (code, out.split()) == (0, [str(n) for n in range(450)])


async def test_golden_jsonl(store: Store, logs: Logs) -> None:
    await store.push([(NOW + 1, 'GET "/" \x1b[31m')])
    await store.push([(NOW, "ready")], DB)
    code, out, err = await logs('{stream=~".+"}', "--output=jsonl", *FAR)
    assert (code, err) == (0, "")
    assert out == (
        '{"labels":{"container_name":"db","service_name":"db","stream":"stderr"},'
        '"line":"ready","timestamp":"2023-11-14T22:13:20Z"}\n'
        '{"labels":{"container_name":"web","service_name":"web","stream":"stdout"},'
        '"line":"GET \\"/\\" \\u001b[31m",'
        '"timestamp":"2023-11-14T22:13:20.000000001Z"}\n'
    )
    assert jsonl(out)[1]["line"] == 'GET "/" \x1b[31m'


async def test_labels_and_their_values(store: Store, logs: Logs) -> None:
    await store.push([(NOW, "x")])
    await store.push([(NOW, "x")], DB)
    assert await logs("--list-labels", *FAR) == (
        0, "container_name\nservice_name\nstream\n", "",
    )  # fmt: skip
    assert await logs("--list-labels", "stream", *FAR) == (0, "stderr\nstdout\n", "")
    assert await logs("--list-labels=a/b c", *FAR) == (0, "", "")


async def test_metric_queries_are_values(store: Store, logs: Logs) -> None:
    await store.push([(NOW + n, "x") for n in range(12)])
    await store.push([(NOW, "x")], DB)
    query = 'sum by (container_name) (count_over_time({stream=~".+"}[1h]))'
    at = ("--to", "2023-11-14T22:13:21Z")
    code, out, err = await logs(query, *at)
    assert (code, err) == (0, "")
    assert sorted(out.splitlines()) == [
        ' 1  {container_name="db"}', '12  {container_name="web"}',
    ]  # fmt: skip
    assert await logs("1 + 1", *at) == (0, "2\n", "")
    code, out, _ = await logs(query, *at, "-o", "jsonl")
    assert {"labels": {"container_name": "db"}, "value": "1"} in jsonl(out)
    assert (await logs(query, "-f"))[::2] == (
        2, "logs: a metric query cannot be followed\n",
    )  # fmt: skip


async def test_mistakes_in_one_line(store: Store, logs: Logs) -> None:
    code, out, err = await logs('{container_name="a"} |= foo', *FAR)
    assert (code, out) == (1, "")
    first, query, caret = err.splitlines()
    assert first.startswith("logs: parse error at line 1, col 25: ")
    assert query == '  {container_name="a"} |= foo'
    assert caret.index("^") == query.index("foo")
    await store.push([(NOW, "x")])
    code, _, err = await logs("wep", *FAR)
    assert (code, err) == (1, "logs: nothing is called 'wep' (there are: web)\n")
    code, out, err = await logs('{a="b"}', *FAR)
    assert (code, out) == (0, "")
    assert err == "no lines in this time; --since 24h looks further back\n"
    code, _, err = await logs("web", "--from", "1h", "--to", "2h")
    assert (code, err) == (2, "logs: --from is not before --to\n")


async def test_statistics(store: Store, logs: Logs) -> None:
    await store.push([(NOW, "12345")])
    _, _, err = await logs("web", "--stats", *FAR)
    assert "the server read 1 lines, 5 bytes in " in err


def run_alone(*argv: str) -> tuple[int, str]:
    out, err = io.StringIO(), io.StringIO()
    code = main(argv, {}, out, err)
    assert out.getvalue() == ""
    return code, err.getvalue()


def test_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://me:secret@127.0.0.1:{port}"
    code, err = run_alone("{a='b'}", "--addr", address)
    assert code == 1
    assert err == (
        f"logs: cannot reach http://127.0.0.1:{port}: Connection refused "
        "(--addr or LOKI_ADDR says where Loki is)\n"
    )


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--addr", "ftp://x"), "--addr is not the address of a server"),
        (("--addr", "http://[::1"), "--addr is not the address of a server"),
        (("-z", "Nowhere"), "'Nowhere' is not known here"),
        (("--since", "x"), "--since: 'x' is not a duration"),
        (("-f", "--to", "now"), "--to ends what --follow does not end"),
        (("--org-id", "a\nb"), "cannot have a line break"),
    ],
)
def test_wrong_usage(flags: tuple[str, ...], words: str) -> None:
    code, err = run_alone("{a='b'}", *flags)
    assert code == 2
    assert words in err
    assert err.count("\n") == 1


def test_files_that_cannot_be_read() -> None:
    for flag in ("--ca-cert", "--bearer-token-file"):
        code, err = run_alone("{a='b'}", flag, "/nonexistent")
        assert (code, err.count("\n")) == (1, 1)
        assert "/nonexistent" in err


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, "no org id\n", "name the tenant with --org-id"),
        (401, "", "log in with --username"),
        (404, "nothing here", "is there a Loki at --addr?"),
        (502, "<h1>bad\ngateway</h1>", "answers 502: <h1>bad gateway</h1>"),
        (200, "hello", "the answer is not one of Loki"),
        (200, '{"status":"success","data":[1]}', "the answer is not one of Loki"),
        (200, '{"status":"success","data":{"result":[{}]}}', "not one of Loki"),
    ],
)
async def test_other_answers(status: int, body: str, words: str, logs: Logs) -> None:
    async def answer(request: web.Request) -> web.Response:
        assert request.headers["X-Scope-OrgID"] == "t"
        assert request.headers["Authorization"] == "Basic bWU6cHc="
        return web.Response(status=status, text=body)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server:
        url = f"http://me:pw@{server.host}:{server.port}/deep"
        code, out, err = await logs("{a='b'}", "--addr", url, "--org-id=t")
    assert (code, out) == (1, "")
    assert words in err
    assert "pw" not in err
    assert err.count("\n") == 1


async def test_a_reader_that_leaves_is_no_error(store: Store) -> None:
    await store.push([(NOW + n, "x" * 500) for n in range(4000)])
    read, write = os.pipe()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", COMMAND, "web", "--limit=0", *FAR, "-q",
        "--addr", store.address,
        stdout=write, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    os.close(write)
    os.close(read)
    async with asyncio.timeout(30):
        _, err = await process.communicate()
    assert (process.returncode, err) == (0, b"")
