"""The names under which dashboards and data sources are known.

A dashboard keeps its uid for ever: links, bookmarks and alerts hold it.
"""

from __future__ import annotations

from typing import Final


PROMETHEUS: Final = "prometheus"
LOKI: Final = "loki"

OVERVIEW: Final = "stack-overview"
HOST: Final = "stack-host"
NGINX: Final = "stack-nginx"
PHP_FPM: Final = "stack-php-fpm"
WORDPRESS: Final = "stack-wordpress"
LOGS: Final = "stack-logs"
MONITORING: Final = "stack-monitoring"

# In the order in which the bar of links shows them.
TITLES: Final = {
    OVERVIEW: "Overview",
    HOST: "Host",
    NGINX: "nginx",
    PHP_FPM: "php-fpm",
    WORDPRESS: "WordPress and MySQL",
    LOGS: "Container logs",
    MONITORING: "Monitoring itself",
}
