"""The ``server`` section (dskit server/server.go, promtail server/server.go)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

from exporters.toolkit.decode import Problem


LogLevel = Literal["debug", "info", "warn", "error"]
LogFormat = Literal["logfmt", "json"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig:
    """Where the shipper's own HTTP server listens and what it shows.

    *http_listen_port* 0 asks the kernel for a free port; 80 is promtail's default,
    9080 only the convention of its examples.
    """

    http_listen_address: str = ""
    http_listen_port: int = 80
    http_path_prefix: str = ""
    external_url: str = ""
    log_level: LogLevel = "info"
    log_format: LogFormat = "logfmt"
    register_instrumentation: bool = True
    health_check_target: bool = True
    disable: bool = False
    enable_runtime_reload: bool = False

    # Strict parsing means that each of these must be known; none means anything to
    # a shipper without gRPC, pprof and request logs.
    ACCEPTED: ClassVar[frozenset[str]] = frozenset(
        {
            "cluster_validation",
            "create_new_traces",
            "graceful_shutdown_timeout",
            "grpc_collect_max_streams_by_conn",
            "grpc_listen_address",
            "grpc_listen_conn_limit",
            "grpc_listen_network",
            "grpc_listen_port",
            "grpc_server_keepalive_time",
            "grpc_server_keepalive_timeout",
            "grpc_server_max_concurrent_streams",
            "grpc_server_max_connection_age",
            "grpc_server_max_connection_age_grace",
            "grpc_server_max_connection_idle",
            "grpc_server_max_recv_msg_size",
            "grpc_server_max_send_msg_size",
            "grpc_server_min_time_between_pings",
            "grpc_server_num_workers",
            "grpc_server_ping_without_stream_allowed",
            "grpc_server_recv_buffer_pools_enabled",
            "grpc_server_stats_tracking_enabled",
            "grpc_tls_config",
            "http_listen_conn_limit",
            "http_listen_network",
            "http_log_closed_connections_without_response_enabled",
            "http_server_idle_timeout",
            "http_server_read_header_timeout",
            "http_server_read_timeout",
            "http_server_write_timeout",
            "http_tls_config",
            "log_request_at_info_level_enabled",
            "log_request_exclude_headers_list",
            "log_request_headers",
            "log_source_ips_enabled",
            "log_source_ips_full",
            "log_source_ips_header",
            "log_source_ips_regex",
            "profiling_enabled",
            "proxy_protocol_enabled",
            "report_grpc_codes_in_instrumentation_label_enabled",
            "throughput",
            "tls_cipher_suites",
            "tls_min_version",
            "trace_request_exclude_headers_list",
            "trace_request_headers",
        }
    )

    @property
    def listen(self) -> str:
        """Return the address as ``host:port``, brackets around IPv6."""
        host = self.http_listen_address
        if ":" in host and not host.startswith("["):
            host = f"[{host}]"
        return f"{host}:{self.http_listen_port}"

    def problems(self) -> Iterator[Problem]:
        if not 0 <= self.http_listen_port <= 65535:
            yield Problem(
                f"{self.http_listen_port} is not a port (0 to 65535)",
                ("http_listen_port",),
            )
        if self.http_path_prefix and not self.http_path_prefix.startswith("/"):
            yield Problem("http_path_prefix must begin with /", ("http_path_prefix",))
