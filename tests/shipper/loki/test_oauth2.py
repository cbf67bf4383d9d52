"""Tokens by client credentials, from a token server that is scripted."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from aiohttp import web
from hypothesis import given, strategies as st

from shipper.loki.client import PushClient
from shipper.loki.oauth2 import TokenSource
from shipper.loki.outcome import TRANSPORT, Answer, Verdict, judge
from shipper.loki.settings import ClientSettings
from shipper.loki.token import (
    OAuth2Settings,
    Token,
    TokenError,
    parse_token,
    token_request,
)

from .conftest import BODY, Server, push, serving


JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
SECRET = "hunter 2"
SETTINGS = OAuth2Settings(
    token_url="",
    client_id="me&you",
    client_secret=SECRET,
    form=(("grant_type", "client_credentials"), ("scope", "a b")),
)


def test_the_secret_in_the_header_or_in_the_form() -> None:
    headers, body = token_request(SETTINGS, SECRET, in_form=False)
    pair = base64.b64decode(headers["Authorization"].removeprefix("Basic "))
    assert pair == b"me%26you:hunter+2"
    assert body == b"grant_type=client_credentials&scope=a+b"
    headers, body = token_request(SETTINGS, SECRET, in_form=True)
    assert "Authorization" not in headers
    assert headers["Content-Type"] == FORM
    assert parse_qs(body.decode()) == {
        "grant_type": ["client_credentials"],
        "scope": ["a b"],
        "client_id": ["me&you"],
        "client_secret": [SECRET],
    }


@pytest.mark.parametrize(
    ("kind", "text", "token"),
    [
        (JSON, '{"access_token": "t"}', Token("Bearer t", None)),
        (JSON, '{"access_token": "t", "expires_in": 60}', Token("Bearer t", 160)),
        (JSON, '{"access_token": "t", "expires_in": "60"}', Token("Bearer t", 160)),
        (JSON, '{"access_token": "t", "expires_in": 0}', Token("Bearer t", None)),
        (JSON, '{"access_token": "t", "expires_in": null}', Token("Bearer t", None)),
        (
            JSON,
            '{"access_token": "t", "token_type": "BEARER"}',
            Token("Bearer t", None),
        ),
        (JSON, '{"access_token": "t", "token_type": "mac"}', Token("MAC t", None)),
        (JSON, '{"access_token": "t", "token_type": "Odd"}', Token("Odd t", None)),
        ("text/html", '{"access_token": "t"}', Token("Bearer t", None)),
        (FORM, "access_token=t&expires_in=60&x=y", Token("Bearer t", 160)),
        ("text/plain", "access_token=t", Token("Bearer t", None)),
    ],
)
def test_tokens(kind: str, text: str, token: Token) -> None:
    assert parse_token(200, kind, text, 100.0) == token


@pytest.mark.parametrize(
    ("status", "kind", "text", "error"),
    [
        (
            401,
            JSON,
            '{"error": "invalid_client", "error_description": "who?"}',
            "cannot fetch token: HTTP 401: invalid_client who?",
        ),
        (200, JSON, '{"error": "odd"}', "cannot fetch token: HTTP 200: odd"),
        (200, FORM, "error=odd", "cannot fetch token: HTTP 200: odd"),
        (503, "text/html", "<html>\nx", "cannot fetch token: HTTP 503: <html>"),
        (503, JSON, '{"access_token": "t"}', "cannot fetch token: HTTP 503: "),
        (200, JSON, "[]", "cannot fetch token: HTTP 200: []"),
        (200, JSON, "{}", "server response missing access_token"),
        (200, JSON, '{"access_token": ["t"]}', "server response missing access_token"),
        (
            200,
            JSON,
            '{"access_token": "a\\nb"}',
            "server response missing access_token",
        ),
        (
            200,
            JSON,
            '{"access_token": "t", "expires_in": "soon"}',
            "server response has an expires_in that is no number",
        ),
    ],
)
def test_refusals(status: int, kind: str, text: str, error: str) -> None:
    with pytest.raises(TokenError) as told:
        parse_token(status, kind, text, 0.0)
    assert str(told.value).startswith(error)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
json_answers = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("access_token", "expires_in", "token_type", "error"), json_values
    ),
)


@given(
    st.sampled_from([200, 400, 503]),
    st.sampled_from([JSON, FORM, ""]),
    st.one_of(st.text(), json_values.map(json.dumps), json_answers.map(json.dumps)),
)
def test_no_answer_is_a_traceback(status: int, kind: str, text: str) -> None:
    try:
        parse_token(status, kind, text, 0.0)
    except TokenError as error:
        assert "\n" not in str(error)  # noqa: PT017 - it may also be a token


class Tokens:
    """What a token server says, and how often it was asked."""

    def __init__(self, server: Server, **fields: object) -> None:
        self.server = server
        self.fields = fields
        server.handler = self.grant

    @property
    def asked(self) -> int:
        return len(self.server.requests)

    async def grant(self, request: web.Request) -> web.StreamResponse:
        return web.json_response({"access_token": f"t{self.asked}", **self.fields})


def refuse(
    *bad: str, loki: Server
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request) -> web.StreamResponse:
        token = request.headers["Authorization"].removeprefix("Bearer ")
        return web.Response(status=401 if token in bad else 204)

    loki.handler = answer
    return answer


def with_tokens(loki: Server, tokens: Server) -> ClientSettings:
    oauth2 = replace(SETTINGS, token_url=tokens.url)
    return replace(loki.settings, oauth2=oauth2)


def sent(loki: Server) -> list[str]:
    return [headers["Authorization"] for headers, _ in loki.requests]


async def test_one_token_for_many_pushes_at_once(loki: Server) -> None:
    async with serving() as server:
        tokens = Tokens(server, expires_in=3600)
        async with PushClient(with_tokens(loki, server)) as client:
            pushes = (client.push("", BODY) for _ in range(20))
            assert await asyncio.gather(*pushes) == [Answer(204)] * 20
    assert tokens.asked == 1
    assert set(sent(loki)) == {"Bearer t1"}


@pytest.mark.parametrize(("lifetime", "asked"), [(11, 1), (9, 3)])
async def test_a_token_is_given_up_before_it_expires(
    loki: Server, lifetime: int, asked: int
) -> None:
    async with serving() as server:
        tokens = Tokens(server, expires_in=lifetime)
        async with PushClient(with_tokens(loki, server)) as client:
            for _ in range(3):
                assert await client.push("", BODY) == Answer(204)
    assert tokens.asked == asked


async def test_a_401_gets_a_new_token_once(loki: Server) -> None:
    refuse("t1", loki=loki)
    async with serving() as server:
        tokens = Tokens(server)
        assert await push(with_tokens(loki, server)) == Answer(204)
        assert tokens.asked == 2
        refuse("t1", "t2", "t3", "t4", loki=loki)
        found = await push(with_tokens(loki, server))
    assert found.status == 401
    assert judge(found, 1).verdict is Verdict.HOLD
    assert tokens.asked == 4
    assert sent(loki) == ["Bearer t1", "Bearer t2", "Bearer t3", "Bearer t4"]


async def test_many_401_at_once_share_the_new_token(loki: Server) -> None:
    refuse("t1", loki=loki)
    async with serving() as server:
        tokens = Tokens(server)
        async with PushClient(with_tokens(loki, server)) as client:
            pushes = (client.push("", BODY) for _ in range(10))
            assert await asyncio.gather(*pushes) == [Answer(204)] * 10
    assert tokens.asked == 2


async def test_who_takes_the_secret_only_in_the_form(loki: Server) -> None:
    async with serving() as server:
        tokens = Tokens(server, expires_in=5)

        async def grant(request: web.Request) -> web.StreamResponse:
            if "Authorization" in request.headers:
                return web.json_response({"error": "invalid_client"}, status=401)
            return await tokens.grant(request)

        server.handler = grant
        async with PushClient(with_tokens(loki, server)) as client:
            for _ in range(2):
                assert await client.push("", BODY) == Answer(204)
        with_header = ["Authorization" in headers for headers, _ in server.requests]
    assert with_header == [True, False, False], "the way that works is remembered"


async def test_a_refusal_is_an_answer_without_secrets(loki: Server) -> None:
    async with serving() as server:

        async def refuse(request: web.Request) -> web.StreamResponse:
            text = f"no {(await request.read()).decode()} {SECRET}"
            return web.Response(status=403, text=text)

        server.handler = refuse
        found = await push(with_tokens(loki, server))
    assert found.status == TRANSPORT
    assert found.body.startswith("oauth2: cannot fetch token: HTTP 403: no ")
    assert SECRET not in found.body
    assert "hunter+2" not in found.body
    assert not loki.requests


async def test_a_token_server_that_is_away(loki: Server) -> None:
    async with serving() as server:
        settings = with_tokens(loki, server)
    found = await push(settings)
    assert found.status == TRANSPORT
    assert found.body == (
        "oauth2: cannot fetch token: cannot connect: Connection refused"
    )


async def test_a_token_server_that_hangs(loki: Server) -> None:
    never = asyncio.Event()
    async with serving() as server:

        async def hang(request: web.Request) -> web.StreamResponse:
            await never.wait()
            return web.Response()

        server.handler = hang
        settings = replace(with_tokens(loki, server), timeout_seconds=0.1)
        async with PushClient(settings) as client:
            pushes = (client.push("", BODY) for _ in range(3))
            found = await asyncio.gather(*pushes)
        never.set()
    assert found == [Answer(TRANSPORT, "no answer within 0.1 s")] * 3


async def test_who_waits_shares_a_failure(loki: Server) -> None:
    async with serving() as server:
        refusals = 0

        async def refuse(request: web.Request) -> web.StreamResponse:
            nonlocal refusals
            refusals += 1
            return web.Response(status=503)

        server.handler = refuse
        async with PushClient(with_tokens(loki, server)) as client:
            assert isinstance(client._tokens, TokenSource)
            found = await asyncio.gather(*(client.push("", BODY) for _ in range(10)))
    assert {answer.status for answer in found} == {TRANSPORT}
    assert refusals == 2, "once with the secret in the header, once in the form"


async def test_the_secret_file_is_read_for_each_token(
    loki: Server, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    async with serving() as server:
        Tokens(server, expires_in=5)
        settings = with_tokens(loki, server)
        assert settings.oauth2
        oauth2 = replace(
            settings.oauth2, client_secret="", client_secret_file=str(file)
        )
        async with PushClient(replace(settings, oauth2=oauth2)) as client:
            missing = await client.push("", BODY)
            for secret in ("one", "two"):
                file.write_text(secret + "\n")
                assert await client.push("", BODY) == Answer(204)
        logins = [headers["Authorization"] for headers, _ in server.requests]
    assert missing.body == f"oauth2: client secret {file}: No such file or directory"
    assert [base64.b64decode(login[6:]) for login in logins] == [
        b"me%26you:one",
        b"me%26you:two",
    ]
