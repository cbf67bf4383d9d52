"""Tokens by client credentials (golang.org/x/oauth2 clientcredentials, RFC 6749 §4.4).

Secrets are in no error text: those end in the log and in /ready.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qs, quote_plus, urlencode

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from exporters.toolkit.errors import StartError
from shipper.config.http_headers import is_header_value

from .headers import USER_AGENT, read_secret
from .outcome import first_line
from .trip import Trip, failure, read_text


EARLY_SECONDS: Final = 10.0
"""A token is given up this long before it expires, as Go does."""

_FORMS: Final = frozenset({"application/x-www-form-urlencoded", "text/plain"})


class TokenError(Exception):
    """No token could be had; one line without secrets."""


@dataclass(frozen=True, slots=True)
class OAuth2Settings:
    """Who asks for a token, where, and for what."""

    token_url: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    client_secret_file: str = ""
    form: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    trip: Trip = field(default_factory=Trip)


class Token(NamedTuple):
    """The Authorization header to send and when, on the clock, it expires."""

    header: str
    expires_at: float | None


class TokenRequest(NamedTuple):
    """What is posted for a token."""

    headers: dict[str, str]
    body: bytes


def token_request(
    settings: OAuth2Settings, secret: str, *, in_form: bool
) -> TokenRequest:
    """Return the request for a token, *secret* in its form or in its header."""
    form = dict(settings.form)
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "User-Agent": USER_AGENT,
    }
    if in_form:
        form["client_id"] = settings.client_id
        if secret:
            form["client_secret"] = secret
    else:
        pair = f"{quote_plus(settings.client_id)}:{quote_plus(secret)}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return TokenRequest(headers, urlencode(sorted(form.items())).encode())


def parse_token(status: int, content_type: str, text: str, now: float) -> Token:
    """Return the token in the answer of a token server.

    Raises:
        TokenError: it is a refusal, or has no token.
    """
    answer = _fields(content_type, text)
    if answer is None or (not 200 <= status <= 299 and not answer.get("error")):
        raise TokenError(f"cannot fetch token: HTTP {status}: {first_line(text)}")
    if code := answer.get("error"):
        words = " ".join(filter(None, (code, answer.get("error_description"))))
        raise TokenError(f"cannot fetch token: HTTP {status}: {first_line(words)}")
    header = f"{_kind(answer.get('token_type', ''))} {answer.get('access_token', '')}"
    if not answer.get("access_token") or not is_header_value(header):
        raise TokenError("server response missing access_token")
    seconds = answer.get("expires_in") or "0"
    try:
        lifetime = float(int(float(seconds)))
    except (ValueError, OverflowError):
        raise TokenError(
            "server response has an expires_in that is no number"
        ) from None
    return Token(header, now + lifetime if lifetime else None)


def _fields(content_type: str, text: str) -> dict[str, str] | None:
    """Return the fields of an answer as texts, None when it cannot be read."""
    if content_type in _FORMS:
        return {name: values[0] for name, values in parse_qs(text).items()}
    try:
        answer: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(answer, dict):
        return None
    return {k: str(v) for k, v in answer.items() if isinstance(v, str | int | float)}


def _kind(token_type: str) -> str:
    known = {"": "Bearer", "bearer": "Bearer", "mac": "MAC", "basic": "Basic"}
    return known.get(token_type.lower(), token_type)


class TokenSource:
    """One token for all pushes of a client, fetched when there is none that is good."""

    def __init__(
        self,
        settings: OAuth2Settings,
        session: aiohttp.ClientSession,
        files: Executor,
        clock: Callable[[], float],
    ) -> None:
        """Fetch through *session*; *files* is where the secret is read."""
        self._settings = settings
        self._session = session
        self._files = files
        self._clock = clock
        self._lock = asyncio.Lock()
        self._token: Token | None = None
        self._in_form: bool | None = None  # None: what the server takes is not known
        self._failure = ""
        self._failed_at = float("-inf")

    async def get(self, refused: Token | None = None) -> Token:
        """Return a token that is good; *refused* is one the server did not take.

        Who waits while another one asks shares its answer, a failure too.

        Raises:
            TokenError: there is none to be had.
        """
        asked_at = self._clock()
        async with self._lock:
            if self._token is not None and self._token is refused:
                self._token = None
            if self._token is not None and self._is_good(self._token):
                return self._token
            if self._failed_at >= asked_at:
                raise TokenError(self._failure)
            try:
                self._token = await self._fetch()
            except TokenError as error:
                self._failure, self._failed_at = str(error), self._clock()
                raise
            return self._token

    def _is_good(self, token: Token) -> bool:
        at = token.expires_at
        return at is None or at - EARLY_SECONDS >= self._clock()

    async def _fetch(self) -> Token:
        loop = asyncio.get_running_loop()
        settings = self._settings
        try:
            secret = await loop.run_in_executor(
                self._files,
                read_secret,
                settings.client_secret,
                settings.client_secret_file,
            )
        except OSError as error:
            reason = f"client secret {error.filename}: {error.strerror}"
            raise TokenError(f"oauth2: {reason}") from error
        ways = (False, True) if self._in_form is None else (self._in_form,)
        for in_form in ways:
            try:
                token = await self._ask(
                    token_request(settings, secret, in_form=in_form)
                )
            except TokenError as error:
                refusal = str(error)
            else:
                self._in_form = in_form
                return token
        text = refusal.replace(secret, "<secret>") if secret else refusal
        raise TokenError(f"oauth2: {text}")

    async def _ask(self, request: TokenRequest) -> Token:
        settings = self._settings
        url = URL(settings.token_url)
        try:
            headers = CIMultiDict(request.headers)
            options = await settings.trip.options(url, headers, self._files)
            async with self._session.post(
                url, data=request.body, **options
            ) as response:
                text = await read_text(response)
                kind = response.content_type
                return parse_token(response.status, kind, text, self._clock())
        except (aiohttp.ClientError, OSError, StartError) as error:
            reason = failure(error).body
            raise TokenError(f"cannot fetch token: {reason}") from error
