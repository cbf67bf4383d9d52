"""From a ``clients`` entry of promtail.yaml to what the client works with."""

from __future__ import annotations

import os
from collections.abc import Mapping

from exporters.toolkit.errors import StartError
from shipper.config.http_client import BasicAuth, HttpClientConfig
from shipper.config.http_headers import HttpHeader
from shipper.config.limits import LimitsConfig
from shipper.config.model import ClientConfig
from shipper.config.oauth2 import OAuth2
from shipper.config.proxy import ProxyConfig
from shipper.config.tls import TlsConfig
from shipper.config.url import ClientUrl, parse_proxy_url
from shipper.tls import tls_source

from .backoff import Backoff
from .headers import AddedHeader, Credentials, HeaderError, build_headers
from .proxy import NoProxy, Proxy, ProxyRules, environment
from .settings import ClientSettings, EntryLimits
from .token import OAuth2Settings
from .trip import Trip


def client_settings(
    config: ClientConfig, environ: Mapping[str, str] | None = None
) -> ClientSettings:
    """Return the settings for *config*, with its certificates loaded.

    Raises:
        StartError: a certificate, or a proxy of *environ*, cannot be used.
    """
    environ = os.environ if environ is None else environ
    return ClientSettings(
        url=config.url.text,
        host=config.url.host,
        name=config.label,
        tenant=config.tenant_id,
        external_labels=dict(config.external_labels),
        headers={name: value.reveal() for name, value in config.headers.items()},
        added_headers=_added_headers(config.http_headers),
        credentials=http_credentials(config, config.login),
        oauth2=_oauth2(config.oauth2, environ) if config.oauth2 else None,
        trip=_trip(config.tls_config, config, environ),
        push_encoding=config.push_encoding,
        follow_redirects=config.follow_redirects,
        timeout_seconds=config.timeout,
        batch_size_bytes=config.batchsize,
        batch_wait_seconds=config.batchwait,
        backoff=Backoff(
            config.backoff_config.min_period, config.backoff_config.max_period
        ),
        max_retries=config.backoff_config.max_retries,
        drop_rate_limited_batches=config.drop_rate_limited_batches,
    )


def entry_limits(config: LimitsConfig) -> EntryLimits:
    """Return what `Sender` applies of limits_config; the rate is the readers' part."""
    return EntryLimits(
        max_streams=max(config.max_streams, 0),
        max_line_bytes=config.max_line_size,
        truncate=config.max_line_size_truncate,
    )


def http_credentials(
    config: HttpClientConfig, login: BasicAuth | None = None
) -> Credentials:
    """Return who *config* says we are; *login*, the URL's, goes before the rest."""
    if basic := login or config.basic_auth:
        return Credentials(
            username=basic.username,
            username_file=basic.username_file,
            password=basic.password.reveal(),
            password_file=basic.password_file,
        )
    if config.bearer_token or config.bearer_token_file:
        return Credentials(
            scheme="Bearer",
            token=config.bearer_token.reveal(),
            token_file=config.bearer_token_file,
        )
    if auth := config.authorization:
        return Credentials(
            scheme=auth.scheme,
            token=auth.credentials.reveal(),
            token_file=auth.credentials_file,
        )
    return Credentials()


def static_headers(config: HttpClientConfig) -> dict[str, str]:
    """Return the headers *config* adds to a request, their files read now.

    Raises:
        StartError: a file cannot be read or does not fit into a header.
    """
    try:
        headers = build_headers(
            "",
            {},
            added=_added_headers(config.http_headers),
            credentials=http_credentials(config),
        )
    except OSError as error:
        reason = f"{error.filename}: cannot be read: {error.strerror}"
        raise StartError(reason) from error
    except HeaderError as error:
        raise StartError(str(error)) from error
    of_a_push = {"Content-Type", "User-Agent"}
    names = dict.fromkeys(name for name in headers if name not in of_a_push)
    return {name: ", ".join(headers.getall(name)) for name in names}


def proxy_rules(config: ProxyConfig, environ: Mapping[str, str]) -> ProxyRules:
    """Return which proxies *config* asks for.

    Raises:
        StartError: a proxy of *environ* is none.
    """
    connect_headers = tuple(
        (name, value.reveal())
        for name, values in config.proxy_connect_header.items()
        for value in values
    )
    if config.proxy_from_environment:
        return ProxyRules(
            http=_environment_proxy("http_proxy", environ),
            https=_environment_proxy("https_proxy", environ),
            exempt=NoProxy.parse(environment(environ, "no_proxy")),
            connect_headers=connect_headers,
        )
    if config.proxy is None:
        return ProxyRules()
    proxy = _proxy(config.proxy)
    # As in Go: without no_proxy everything goes through it, loopback too.
    exempt = NoProxy.parse(config.no_proxy) if config.no_proxy else None
    return ProxyRules(proxy, proxy, exempt, connect_headers)


def _environment_proxy(name: str, environ: Mapping[str, str]) -> Proxy | None:
    try:
        url = parse_proxy_url(environment(environ, name))
    except ValueError as error:
        raise StartError(f"proxy_from_environment: {name.upper()}: {error}") from None
    return _proxy(url) if url.text else None


def _proxy(url: ClientUrl) -> Proxy:
    return Proxy(url.text, url.username, url.password.reveal())


def _trip(tls: TlsConfig, proxy: ProxyConfig, environ: Mapping[str, str]) -> Trip:
    return Trip(tls_source(tls), tls.server_name or None, proxy_rules(proxy, environ))


def _added_headers(config: Mapping[str, HttpHeader]) -> tuple[AddedHeader, ...]:
    return tuple(
        AddedHeader(
            name,
            (*header.values, *(secret.reveal() for secret in header.secrets)),
            header.files,
        )
        for name, header in config.items()
    )


def _oauth2(config: OAuth2, environ: Mapping[str, str]) -> OAuth2Settings:
    form = {"grant_type": "client_credentials"}
    if config.scopes:
        form["scope"] = " ".join(config.scopes)
    form.update(config.endpoint_params)  # they may replace the grant type
    return OAuth2Settings(
        token_url=config.token_url.text,
        client_id=config.client_id,
        client_secret=config.client_secret.reveal(),
        client_secret_file=config.client_secret_file,
        form=tuple(form.items()),
        trip=_trip(config.tls_config, config, environ),
    )
