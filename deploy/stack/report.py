"""Say where everything is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from deploy.stack.settings import ROOT, Settings


def addresses(settings: Settings, *, offline: bool) -> list[tuple[str, str]]:
    """Return each address of the stack and what it shows."""
    rows = published(settings, offline=offline)
    return [(url(settings, port) + path, what) for port, path, what in rows]


def published(settings: Settings, *, offline: bool) -> Iterator[tuple[str, str, str]]:
    """Yield the variable of each published port, a path there and what it shows."""
    profiles, secrets = settings.profiles, shown(settings.secrets)
    yield "NGINX_PORT", "", "WordPress behind nginx (the first visit installs it)"
    if "tls" in profiles:
        yield "HTTPS_PORT", "", "the same, encrypted"
    if "tools" in profiles:
        login = f"{settings.mysql_user}, password in {secrets}/mysql_password"
        yield "PHPMYADMIN_PORT", "", f"phpMyAdmin: {login}"
    # Debian builds Prometheus without its newer pages.
    targets = "/classic/targets" if offline else "/targets"
    yield "PROMETHEUS_PORT", targets, "Prometheus: what it scrapes"
    if "alerts" in profiles:
        yield "ALERTMANAGER_PORT", "", "Alertmanager"
    store = "the embedded log store, with Loki's API" if offline else "Loki"
    yield "LOKI_PORT", "/loki/api/v1/labels", store
    if not offline:
        login = f"admin, password in {secrets}/grafana_password"
        yield "GRAFANA_PORT", "", f"Grafana: {login}"


def url(settings: Settings, port: str) -> str:
    """Return the address at which a person reaches the published *port*."""
    address = settings.address(port)
    host = "localhost" if address in {"127.0.0.1", "0.0.0.0"} else address
    scheme = "https" if port == "HTTPS_PORT" else "http"
    return f"{scheme}://{host}:{settings.values[port]}"


def shown(path: Path) -> Path:
    """Return *path* as the person types it who stands in the project's folder."""
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def show(rows: list[tuple[str, str]]) -> None:
    """Print *rows* as two columns."""
    width = max(len(address) for address, _ in rows)
    for address, what in rows:
        print(f"    {address:<{width}}  {what}")
