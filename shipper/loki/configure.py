"""From a ``clients`` entry of promtail.yaml to what the client works with."""

from __future__ import annotations

from shipper.config.http_client import BasicAuth, HttpClientConfig
from shipper.config.model import ClientConfig
from shipper.tls import tls_context

from .backoff import Backoff
from .settings import ClientSettings, Credentials


def client_settings(config: ClientConfig) -> ClientSettings:
    """Return the settings for *config*, with its certificates loaded.

    Raises:
        StartError: a certificate cannot be used.
    """
    return ClientSettings(
        url=config.url.text,
        host=config.url.host,
        name=config.label,
        tenant=config.tenant_id,
        external_labels=dict(config.external_labels),
        headers={name: value.reveal() for name, value in config.headers.items()},
        credentials=http_credentials(config, config.login),
        tls=tls_context(config.tls_config),
        server_name=config.tls_config.server_name or None,
        timeout_seconds=config.timeout,
        batch_size_bytes=config.batchsize,
        batch_wait_seconds=config.batchwait,
        backoff=Backoff(
            config.backoff_config.min_period, config.backoff_config.max_period
        ),
        max_retries=config.backoff_config.max_retries,
        drop_rate_limited_batches=config.drop_rate_limited_batches,
    )


def http_credentials(
    config: HttpClientConfig, login: BasicAuth | None = None
) -> Credentials:
    """Return who *config* says we are; *login* goes before its basic_auth."""
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
    if basic := login or config.basic_auth:
        return Credentials(
            username=basic.username,
            username_file=basic.username_file,
            password=basic.password.reveal(),
            password_file=basic.password_file,
        )
    return Credentials()
