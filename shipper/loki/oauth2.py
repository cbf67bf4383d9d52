"""One token for all pushes of a client (golang.org/x/oauth2 clientcredentials)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Final

from exporters.toolkit.errors import StartError
from shipper.http.client import HttpClient, Question
from shipper.http.faults import HttpError
from shipper.http.fields import Fields
from shipper.http.url import read_url

from .headers import read_secret
from .token import (
    OAuth2Settings,
    Token,
    TokenError,
    TokenRequest,
    parse_token,
    token_request,
    without,
)
from .trip import MAX_ANSWER_BYTES, failure


EARLY_SECONDS: Final = 10.0
"""A token is given up this long before it expires, as Go does."""


class TokenSource:
    """One token for all pushes of a client, fetched when there is none that is good."""

    def __init__(
        self,
        settings: OAuth2Settings,
        http: HttpClient,
        files: Executor,
        clock: Callable[[], float],
    ) -> None:
        """Fetch through *http*; *files* is where the secret is read."""
        self._settings = settings
        self._http = http
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
        """Ask, in both ways while it is not known which one the server takes."""
        secret = await self._secret()
        ways = (False, True) if self._in_form is None else (self._in_form,)
        refusal = ""
        for in_form in ways:
            request = token_request(self._settings, secret, in_form=in_form)
            try:
                token = await self._ask(request)
            except TokenError as error:
                refusal = str(error)
            else:
                self._in_form = in_form
                return token
        raise TokenError(f"oauth2: {without(secret, refusal)}")

    async def _secret(self) -> str:
        settings = self._settings
        if not settings.client_secret_file:
            return settings.client_secret
        loop = asyncio.get_running_loop()
        path = settings.client_secret_file
        try:
            return await loop.run_in_executor(self._files, read_secret, "", path)
        except OSError as error:
            reason = f"client secret {path}: {error.strerror}"
            raise TokenError(f"oauth2: {reason}") from error

    async def _ask(self, request: TokenRequest) -> Token:
        settings = self._settings
        try:
            url = read_url(settings.token_url)
            headers = Fields(request.headers)
            question = Question("POST", url, headers, MAX_ANSWER_BYTES, request.body)
            reply = await self._http.ask(
                question, await settings.trip.way(url, self._files)
            )
            text, kind = reply.text(), reply.content_type
            return parse_token(reply.status, kind, text, self._clock())
        except (HttpError, OSError, StartError) as error:
            reason = failure(error).body
            raise TokenError(f"cannot fetch token: {reason}") from error
