"""Write docs/nginx-flags.md: every flag of both generations, and ours.

`.venv/bin/python -m docs.nginx_flags`; a test fails when the page is not what this
prints. Ours is told by the code; what upstream has is recorded here, and a test holds
it against the help of the real programs.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

from exporters.nginx.cli import PROGRAM
from exporters.nginx.positive_duration import parse_positive_duration
from exporters.toolkit.duration import format_go_duration, parse_go_duration
from exporters.toolkit.flags import Flag


PAGE = Path(__file__).with_name("nginx-flags.md")
HEAD = """\
# Flags of the nginx exporter

`python -m docs.nginx_flags` writes this page. 1.x is nginx-prometheus-exporter since
1.0, 0.x what Debian 12 has (0.11.0); a column holds the default, – where there is no
such flag. The environment variable counts where the flag is not given. A flag in
*italics* is taken but not shown by `--help`, which says more about each of the others.
"""


class Upstream(NamedTuple):
    """A flag of upstream's with its defaults, None in a generation without it."""

    env: str
    of_1x: str | None
    of_0x: str | None


_URI = "http://127.0.0.1:8080/stub_status"
UPSTREAM = {
    "web.systemd-socket": Upstream("SYSTEMD_SOCKET", "false", None),
    "web.listen-address": Upstream("LISTEN_ADDRESS", ":9113", ":9113"),
    "web.config.file": Upstream("CONFIG_FILE", "", None),
    "web.telemetry-path": Upstream("TELEMETRY_PATH", "/metrics", "/metrics"),
    "nginx.plus": Upstream("NGINX_PLUS", "false", "false"),
    "nginx.scrape-uri": Upstream("SCRAPE_URI", _URI, _URI),
    "nginx.ssl-verify": Upstream("SSL_VERIFY", "false", "true"),
    "nginx.ssl-ca-cert": Upstream("SSL_CA_CERT", "", ""),
    "nginx.ssl-client-cert": Upstream("SSL_CLIENT_CERT", "", ""),
    "nginx.ssl-client-key": Upstream("SSL_CLIENT_KEY", "", ""),
    "nginx.proxy-protocol": Upstream("PROXY_PROTOCOL", "false", None),
    "nginx.timeout": Upstream("TIMEOUT", "5s", "5s"),
    "prometheus.const-label": Upstream("CONST_LABELS", "", None),
    "log.level": Upstream("", "info", None),
    "log.format": Upstream("", "logfmt", None),
    "nginx.retries": Upstream("NGINX_RETRIES", None, "0"),
    "nginx.retry-interval": Upstream("NGINX_RETRY_INTERVAL", None, "5s"),
    "prometheus.const-labels": Upstream("CONST_LABELS", None, ""),
    "web.secured-metrics": Upstream("SECURED_METRICS", None, "false"),
    "web.ssl-server-cert": Upstream("SSL_SERVER_CERT", None, ""),
    "web.ssl-server-key": Upstream("SSL_SERVER_KEY", None, ""),
}

# Where ours does more than its default says.
NOTES = {
    "web.listen-address": "also `unix:/path`, as 0.x; with TLS, too",
    "nginx.scrape-uri": "repeatable as in 1.x, or a list with commas or newlines",
    "nginx.ssl-verify": "**0.x verified unless told not to**",
    "nginx.ssl-ca-cert": "a warning without `--nginx.ssl-verify`",
    "nginx.ssl-client-cert": "a warning without its key",
    "nginx.timeout": "it works; in 1.x it has no effect",
    "prometheus.const-label": "repeatable as in 1.x, or a list with commas or newlines",
    "nginx.retries": "checked, without effect: ours starts without nginx",
    "nginx.retry-interval": "checked, without effect",
    "prometheus.const-labels": "the list of 0.x",
    "web.secured-metrics": "not beside `--web.config.file`",
}


def default(flag: Flag[Any]) -> str:
    """Return the default of *flag* as it would be typed."""
    if flag.placeholder:
        return flag.placeholder.strip('"')
    value = flag.default
    if isinstance(value, tuple):
        value = value[0] if value else ""
    if isinstance(value, bool):
        return str(value).lower()
    if flag.parse in {parse_go_duration, parse_positive_duration}:
        return format_go_duration(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def page() -> str:
    """Return the page as the code tells it now."""
    rows = ["| flag | environment | 1.x | 0.x | ours |", "|---|---|---|---|---|"]
    rows += [_row(flag) for flag in PROGRAM.flags]
    return "\n".join([HEAD, *rows, ""])


def _row(flag: Flag[Any]) -> str:
    upstream = UPSTREAM.get(flag.name, Upstream("", None, None))
    name = f"--{'[no-]' if flag.parse is None else ''}{flag.name}"
    shown = f"*`{name}`*" if flag.hidden else f"`{name}`"
    env = flag.env or upstream.env
    cells = [
        shown,
        f"`{env}`" if env else "",
        _cell(upstream.of_1x),
        _cell(upstream.of_0x),
        "; ".join(filter(None, [_cell(default(flag)), _note(flag)])),
    ]
    return f"| {' | '.join(cells)} |"


def _note(flag: Flag[Any]) -> str:
    """Return what is special about *flag*; of one that is ours, what it is for."""
    if flag.name in NOTES or flag.name in UPSTREAM:
        return NOTES.get(flag.name, "")
    sentence = re.split(r"\. (?=[A-Z])", flag.help)[0].rstrip(".")
    if not sentence[1].isupper():  # YAML stays YAML
        sentence = sentence[0].lower() + sentence[1:]
    repeatable = "; repeatable" if flag.repeatable else ""
    return re.sub(r"([*|<>])", r"\\\1", sentence) + repeatable


def _cell(text: str | None) -> str:
    if text is None:
        return "–"
    return f"`{text}`" if text else '`""`'


if __name__ == "__main__":
    PAGE.write_text(page())
