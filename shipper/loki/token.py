"""Ask for a token and read the answer: values in, values out (RFC 6749 §4.4, §5).

Secrets are in no error text: those end in the log and in /ready.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qs, quote_plus, urlencode

from shipper.config.http_headers import is_header_value

from .headers import USER_AGENT
from .outcome import first_line
from .trip import Trip


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


def without(secret: str, text: str) -> str:
    """Return *text* without *secret*, as it is or as it was in the form."""
    for shape in {secret, quote_plus(secret)} - {""}:
        text = text.replace(shape, "<secret>")
    return text


def _kind(token_type: str) -> str:
    known = {"": "Bearer", "bearer": "Bearer", "mac": "MAC", "basic": "Basic"}
    return known.get(token_type.lower(), token_type)
