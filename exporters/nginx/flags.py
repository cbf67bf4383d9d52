"""The flags of what is scraped and where it is served, as upstream has them.

Upstream counterpart: ``exporter.go``. Flags that belong to one part (TLS, probes,
php-fpm, the access log) stand with that part.
"""

from __future__ import annotations

from exporters.nginx.legacy import Pairs
from exporters.nginx.metrics import split_const_labels
from exporters.nginx.positive_duration import parse_positive_duration
from exporters.toolkit import flags, web
from exporters.toolkit.flags import Flag


LISTEN_ADDRESS = web.listen_address(":9113", env="LISTEN_ADDRESS")
SYSTEMD_SOCKET = web.systemd_socket(env="SYSTEMD_SOCKET")
CONFIG_FILE = web.config_file(env="CONFIG_FILE")
TELEMETRY_PATH = web.telemetry_path(env="TELEMETRY_PATH")
NGINX_PLUS = flags.boolean(
    "nginx.plus",
    "Start the exporter for NGINX Plus. By default, the exporter is started for NGINX.",
    env="NGINX_PLUS",
)
SCRAPE_URI: Flag[tuple[str, ...]] = Flag(
    "nginx.scrape-uri",
    "A URI or unix domain socket path for scraping NGINX or NGINX Plus metrics. For "
    "NGINX, the stub_status page must be available through the URI. For NGINX Plus -- "
    "the API. Repeatable for multiple URIs. A value may be a list, with commas or "
    "newlines; of several URIs each metric has the label addr.",
    ("http://127.0.0.1:8080/stub_status",),
    str,
    env="SCRAPE_URI",
    repeatable=True,
    hints=("http://127.0.0.1:8080/stub_status", "http://127.0.0.1:8080/api"),
)
TIMEOUT = Flag(
    "nginx.timeout",
    "A timeout for scraping metrics from NGINX or NGINX Plus. A scraper that announces "
    "less patience is answered in time.",
    5.0,
    parse_positive_duration,
    env="TIMEOUT",
    placeholder="5s",
    hints=("5s", "10s", "30s", "1m", "5m"),
)
CONST_LABEL: Flag[Pairs] = Flag(
    "prometheus.const-label",
    "Label that will be used in every metric. Format is label=value. It can be "
    "repeated multiple times. A value may be a list, with commas or newlines.",
    (),
    split_const_labels,
    env="CONST_LABELS",
    repeatable=True,
)
