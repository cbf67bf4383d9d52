"""The flags that stand for a key of the config file.

Names, help texts and kinds are those promtail registers (client/config.go,
positions.go, server/server.go, dskit server.go).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from exporters.toolkit.datasize import parse_byte_size
from exporters.toolkit.duration import parse_go_duration

from .config.url import parse_client_url
from .goflag import FlagError, parse_bool


@dataclass(frozen=True, slots=True)
class Override:
    """One flag: the *path* of the key it stands for, and how its text is read."""

    name: str
    path: tuple[str, ...]
    read: Callable[[str], Any]
    help: str

    @property
    def boolean(self) -> bool:
        """Say whether it stands without a value."""
        return self.read is parse_bool

    def check(self, text: str) -> Any:
        """Return the value of *text*.

        Raises:
            FlagError: with the words of Go's package flag.
        """
        try:
            return self.read(text)
        except ValueError as error:
            kind = "boolean value" if self.boolean else "value"
            flag = "" if self.boolean else "flag "
            raise FlagError(
                f'invalid {kind} "{text}" for {flag}-{self.name}: {error}'
            ) from None


def _integer(text: str) -> int:
    try:
        return int(text, 0)
    except ValueError:
        raise ValueError("parse error") from None


def _duration(text: str) -> float:
    try:
        return parse_go_duration(text)
    except ValueError:
        raise ValueError("parse error") from None


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError("parse error") from None


def _choice(what: str, *options: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in options:
            raise ValueError(f'unrecognized {what} "{text}"')
        return text

    return read


def _labels(text: str) -> dict[str, str]:
    """Read ``lb1=v1,lb2=v2`` (pkg/util/flagext LabelSet)."""
    labels = {}
    for pair in filter(None, text.split(",")):
        name, equals, value = pair.partition("=")
        if not equals:
            raise ValueError(f"wrong label matcher value {pair!r}, expected name=value")
        labels[name] = value
    return labels


# fmt: off
_ROWS: tuple[tuple[str, str, Callable[[str], Any], str], ...] = (
    ("client.url", "client.url", parse_client_url,
     "URL of log server (deprecated)."),
    ("client.batch-wait", "client.batchwait", _duration,
     "Maximum wait period before sending batch (deprecated)."),
    ("client.batch-size-bytes", "client.batchsize", _integer,
     "Maximum batch size to accrue before sending (deprecated)."),
    ("client.max-retries", "client.backoff_config.max_retries", _integer,
     "Maximum number of retires when sending batches (deprecated)."),
    ("client.min-backoff", "client.backoff_config.min_period", _duration,
     "Initial backoff time between retries (deprecated)."),
    ("client.max-backoff", "client.backoff_config.max_period", _duration,
     "Maximum backoff time between retries (deprecated)."),
    ("client.timeout", "client.timeout", _duration,
     "Maximum time to wait for server to respond to a request (deprecated)."),
    ("client.external-labels", "client.external_labels", _labels,
     "list of external labels to add to each log (e.g: "  # noqa: ISC004 - the last cell
     "--client.external-labels=lb1=v1,lb2=v2) (deprecated)."),
    ("client.tenant-id", "client.tenant_id", str,
     "Tenant ID to use when pushing logs to Loki (deprecated)."),
    ("client.drop-rate-limited-batches", "client.drop_rate_limited_batches", parse_bool,
     "Do not retry batches that have been rate limited by Loki (deprecated)."),
    ("positions.file", "positions.filename", str,
     "Location to read/write positions from."),
    ("positions.sync-period", "positions.sync_period", _duration,
     "Period with this to sync the position file."),
    ("positions.ignore-invalid-yaml", "positions.ignore_invalid_yaml", parse_bool,
     "whether to ignore & later overwrite positions files that are corrupted"),
    ("server.http-listen-address", "server.http_listen_address", str,
     "HTTP server listen address."),
    ("server.http-listen-port", "server.http_listen_port", _integer,
     "HTTP server listen port."),
    ("server.path-prefix", "server.http_path_prefix", str,
     "Base path to serve all API routes from (e.g. /v1/)"),
    ("server.register-instrumentation", "server.register_instrumentation", parse_bool,
     "Register the intrumentation handlers (/metrics etc)."),
    ("server.disable", "server.disable", parse_bool,
     "Disable the http and grpc server."),
    ("server.enable-runtime-reload", "server.enable_runtime_reload", parse_bool,
     "Enable reload via HTTP request."),
    ("log.level", "server.log_level",
     _choice("log level", "debug", "info", "warn", "error"),
     "Only log messages with the given severity or above. "  # noqa: ISC004 - the last cell
     "Valid levels: [debug, info, warn, error]"),
    ("target.sync-period", "target_config.sync_period", _duration,
     "Period to resync directories being watched and files being tailed."),
    ("file-watch.min_poll_frequency", "global_.file_watch_config.min_poll_frequency",
     _duration, "Minimum period to poll for file changes"),
    ("file-watch.max_poll_frequency", "global_.file_watch_config.max_poll_frequency",
     _duration, "Maximum period to poll for file changes"),
    ("limit.readline-rate", "limits_config.readline_rate", _float,
     "The rate limit in log lines per second that this instance of Promtail may push "  # noqa: ISC004 - the last cell
     "to Loki."),
    ("limit.readline-burst", "limits_config.readline_burst", _integer,
     "The cap in the quantity of burst lines that this instance of Promtail may push "  # noqa: ISC004 - the last cell
     "to Loki."),
    ("limit.readline-rate-enabled", "limits_config.readline_rate_enabled", parse_bool,
     "When true, enforces rate limiting on this instance of Promtail."),
    ("limit.readline-rate-drop", "limits_config.readline_rate_drop", parse_bool,
     "When true, exceeding the rate limit causes this instance of Promtail to discard "  # noqa: ISC004 - the last cell
     "log lines, rather than sending them to Loki."),
    ("max-streams", "limits_config.max_streams", _integer,
     "Maximum number of active streams. 0 to disable."),
    ("max-line-size", "limits_config.max_line_size", parse_byte_size,
     "Maximum log line byte size allowed without dropping. Example: 256kb, 2M. "  # noqa: ISC004 - the last cell
     "0 to disable."),
    ("max-line-size-truncate", "limits_config.max_line_size_truncate", parse_bool,
     "Whether to truncate lines that exceed max_line_size. No effect if max_line_size "  # noqa: ISC004 - the last cell
     "is disabled"),
    ("log.format", "server.log_format", _choice("log format", "logfmt", "json"),
     "Output log messages in the given format. Valid formats: [logfmt, json]"),
)
# fmt: on

OVERRIDES: Mapping[str, Override] = {
    name: Override(name, tuple(key.split(".")), read, text)
    for name, key, read, text in _ROWS
}

_WITH_VALUE = (
    "server.graceful-shutdown-timeout",
    "server.grpc-conn-limit",
    "server.grpc-listen-address",
    "server.grpc-listen-network",
    "server.grpc-listen-port",
    "server.grpc-max-concurrent-streams",
    "server.grpc-max-recv-msg-size-bytes",
    "server.grpc-max-send-msg-size-bytes",
    "server.grpc-tls-ca-path",
    "server.grpc-tls-cert-path",
    "server.grpc-tls-client-auth",
    "server.grpc-tls-key-path",
    "server.grpc.keepalive.max-connection-age",
    "server.grpc.keepalive.max-connection-age-grace",
    "server.grpc.keepalive.max-connection-idle",
    "server.grpc.keepalive.min-time-between-pings",
    "server.grpc.keepalive.time",
    "server.grpc.keepalive.timeout",
    "server.grpc.num-workers",
    "server.http-conn-limit",
    "server.http-idle-timeout",
    "server.http-listen-network",
    "server.http-read-header-timeout",
    "server.http-read-timeout",
    "server.http-tls-ca-path",
    "server.http-tls-cert-path",
    "server.http-tls-client-auth",
    "server.http-tls-key-path",
    "server.http-write-timeout",
    "server.log-request-headers-exclude-list",
    "server.log-source-ips-header",
    "server.log-source-ips-regex",
    "server.tls-cipher-suites",
    "server.tls-min-version",
)
_WITHOUT_VALUE = (
    "server.grpc.keepalive.ping-without-stream-allowed",
    "server.grpc.recv-buffer-pools-enabled",
    "server.grpc.stats-tracking-enabled",
    "server.http-log-closed-connections-without-response-enabled",
    "server.log-request-at-info-level-enabled",
    "server.log-request-headers",
    "server.log-source-ips-enabled",
    "server.log-source-ips-full",
    "server.profiling_enabled",
    "server.proxy-protocol-enabled",
    "server.report-grpc-codes-in-instrumentation-label-enabled",
    "tracing.enabled",
    "tracing.profiling-enabled",
)
ACCEPTED: Mapping[str, bool] = {
    **dict.fromkeys(_WITH_VALUE, False),
    **dict.fromkeys(_WITHOUT_VALUE, True),
}
"""Flags without an effect here that start commands have; whether without a value."""
