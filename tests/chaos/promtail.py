"""The configuration that the shipper under test reads."""

from __future__ import annotations

from pathlib import Path

from tests.shipper.docker.real import RealDocker

from .writers import LABEL


# A writer keeps its label when its container is renamed. Retries come soon, so that an
# hour holds many of them.
TEMPLATE = """\
server: {{http_listen_address: 127.0.0.1, http_listen_port: {port}}}
positions: {{filename: {state}/positions.yaml, sync_period: 1s}}
clients:
  - url: http://127.0.0.1:{proxy}/loki/api/v1/push
    batchwait: 200ms
    timeout: 3s
    backoff_config: {{min_period: 100ms, max_period: 2s}}
scrape_configs:
  - job_name: chaos
    docker_sd_configs:
      - host: unix://{socket}
        refresh_interval: 5s
        filters: [{{name: label, values: ["shipper-test={mark}"]}}]
    pipeline_stages:
      - match:
          selector: '{{tenant=~".+"}}'
          stages: [{{tenant: {{label: tenant}}}}]
    relabel_configs:
      - {{source_labels: [__meta_docker_container_name], target_label: container_name}}
      - {{source_labels: [__meta_docker_container_log_stream], target_label: stream}}
      - source_labels: [__meta_docker_container_label_{label}]
        target_label: writer
      - source_labels: [__meta_docker_container_label_chaos_tenant]
        target_label: tenant
      - source_labels: [__meta_docker_container_label_chaos_long]
        target_label: long
"""


def write(path: Path, docker: RealDocker, state: Path, port: int, proxy: int) -> None:
    """Write the configuration to *path*.

    The shipper serves *port*, pushes to *proxy*, and keeps its positions in *state*.
    """
    text = TEMPLATE.format(
        port=port,
        state=state,
        proxy=proxy,
        socket=docker.socket,
        mark=docker.mark,
        label=LABEL.replace(".", "_"),
    )
    path.write_text(text)
