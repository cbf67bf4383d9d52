"""Say where everything is."""

from __future__ import annotations

from deploy.stack.settings import Settings


def addresses(settings: Settings, *, offline: bool) -> list[tuple[str, str]]:
    """Return each address of the stack and what it shows."""
    values = settings.values
    host = (
        "localhost" if values["BIND_ADDRESS"] == "127.0.0.1" else values["BIND_ADDRESS"]
    )
    rows = [
        ("NGINX_PORT", "", "WordPress behind nginx (the first visit installs it)"),
        ("PHPMYADMIN_PORT", "", "phpMyAdmin: log in as in deploy/.env (MYSQL_USER)"),
        ("PROMETHEUS_PORT", "/targets", "Prometheus: node, nginx, promtail, loki"),
        (
            "LOKI_PORT",
            "/loki/api/v1/labels",
            "the embedded log store, with Loki's API" if offline else "Loki",
        ),
    ]
    if not offline:
        rows.append(
            ("GRAFANA_PORT", "", "Grafana: admin, GRAFANA_PASSWORD in deploy/.env")
        )
    return [(f"http://{host}:{values[port]}{path}", what) for port, path, what in rows]


def show(rows: list[tuple[str, str]]) -> None:
    """Print *rows* as two columns."""
    width = max(len(address) for address, _ in rows)
    for address, what in rows:
        print(f"    {address:<{width}}  {what}")
