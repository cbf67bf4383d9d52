"""What may stand in `.env`: a wrong value is one line before anything is started."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass

from deploy.stack.settings import PORTS, Settings, assignments, read
from deploy.stack.shell import StackError


PROFILES = frozenset({"tools", "alerts", "tls", "acme", "grafana"})
LARGEST_PORT = 65535
PREFIX = re.compile(r"([a-zA-Z0-9][a-zA-Z0-9_.-]*)?")
PROJECT = re.compile(r"[a-z0-9][a-z0-9_-]*")
SIZE = re.compile(r"\d+(\.\d+)? ?[kmgtp]?i?b?", re.IGNORECASE)
DURATION = re.compile(r"(?=\d)(\d+y)?(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?")
DISK = re.compile(r"\d+([KMGTPE]i?)?B", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Rule:
    """Which values a variable takes, and how that is said."""

    takes: Callable[[str], object]
    expected: str


def is_port(text: str) -> bool:
    """Whether *text* is the number of a port."""
    return text.isascii() and text.isdigit() and 0 < int(text) <= LARGEST_PORT


def is_address(text: str) -> bool:
    """Whether *text* is an address that Compose takes: one of IPv6 is in brackets."""
    six = text.startswith("[") and text.endswith("]")
    try:
        found = ipaddress.ip_address(text[1:-1] if six else text)
    except ValueError:
        return False
    return (found.version == 6) == six


def are_profiles(text: str) -> bool:
    """Whether *text* is a list of profiles."""
    return {name.strip() for name in text.split(",")} <= PROFILES | {""}


PORT = Rule(is_port, f"a port, 1 to {LARGEST_PORT}")
ADDRESS = Rule(is_address, "an IP address of this host (IPv6 in brackets)")
MEMORY = Rule(SIZE.fullmatch, "a size, such as 512m or 1g")
RULES = {
    **dict.fromkeys((*PORTS, "NODE_EXPORTER_PORT", "NGINX_EXPORTER_PORT"), PORT),
    "PROMTAIL_PORT": PORT,
    "BIND_ADDRESS": ADDRESS,
    "SITE_ADDRESS": ADDRESS,
    "COMPOSE_PROFILES": Rule(
        are_profiles, f"of {', '.join(sorted(PROFILES))}, with commas between"
    ),
    "COMPOSE_PROJECT_NAME": Rule(
        PROJECT.fullmatch, "small letters, digits, - and _, a letter or digit first"
    ),
    "NAME_PREFIX": Rule(
        PREFIX.fullmatch, "letters, digits, - _ and ., a letter or digit first"
    ),
    "PROMETHEUS_RETENTION": Rule(DURATION.fullmatch, "a duration, such as 15d or 1y"),
    "PROMETHEUS_RETENTION_SIZE": Rule(DISK.fullmatch, "a size, such as 512MB or 10GB"),
    **dict.fromkeys(
        ("MYSQL_MEMORY", "WORDPRESS_MEMORY", "LOKI_MEMORY", "PROMETHEUS_MEMORY"), MEMORY
    ),
}
# An empty value of these is no value: compose.yaml has a default for it.
MAY_BE_EMPTY = RULES.keys() - {"COMPOSE_PROJECT_NAME", "BIND_ADDRESS", *PORTS}


def check(settings: Settings) -> None:
    """Raise StackError for the first value of the `.env` that cannot be meant."""
    for number, name, value in last(settings):
        if name not in RULES or (not value and name in MAY_BE_EMPTY):
            continue
        if not RULES[name].takes(value):
            where = f"{settings.env_file}:{number}"
            raise StackError(
                f"{where}: {name}={value}: expected {RULES[name].expected}"
            )


def last(settings: Settings) -> list[tuple[int, str, str]]:
    """Return the assignments that count: of those to one name the last."""
    found = {row[1]: row for row in assignments(read(settings.env_file))}
    return sorted(found.values())
