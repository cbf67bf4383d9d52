"""Sources of promtail that are not read here, and what to do instead.

Each is refused by name: a source that is left out without a word is lost lines.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final


_FILE_SD: Final = (
    "have its targets written into a file and name that in file_sd_configs"
)
_KUBERNETES: Final = (
    "not supported: run it on every node and read /var/log/pods with static_configs "
    "and the cri stage"
)
_CLOUD: Final = "not supported: there is no such host to discover here; " + _FILE_SD

REFUSED_SOURCES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "gcplog": "not supported: let a Pub/Sub push subscription or the log router "
        "write to loki_push_api or to a file",
        "windows_events": "not supported: Windows events are read on Windows only; "
        "forward them by syslog",
        "kafka": "not supported: let a consumer (for example kcat) write to a file, "
        "to syslog or to loki_push_api",
        "azure_event_hubs": "not supported: let a consumer write to loki_push_api",
        "gelf": "not supported: use Docker's json-file or local log driver with "
        "docker_sd_configs, or send to syslog",
        "cloudflare": "not supported: let Logpush write to loki_push_api or to a file",
        "heroku_drain": "not supported: add a syslog drain and read it with syslog",
        "dockerswarm_sd_configs": "not supported: run it on every node (a global "
        "service) with docker_sd_configs",
        "kubernetes_sd_configs": _KUBERNETES,
        "dns_sd_configs": f"not supported: {_FILE_SD}",
        "consul_sd_configs": f"not supported: {_FILE_SD}",
        "consulagent_sd_configs": f"not supported: {_FILE_SD}",
        "digitalocean_sd_configs": _CLOUD,
        "serverset_sd_configs": f"not supported: {_FILE_SD}",
        "nerve_sd_configs": f"not supported: {_FILE_SD}",
        "marathon_sd_configs": f"not supported: {_FILE_SD}",
        "gce_sd_configs": _CLOUD,
        "ec2_sd_configs": _CLOUD,
        "openstack_sd_configs": _CLOUD,
        "azure_sd_configs": _CLOUD,
        "triton_sd_configs": _CLOUD,
    }
)
