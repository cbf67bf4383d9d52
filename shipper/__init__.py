"""Container logs from the Docker socket to Loki: a drop-in for promtail."""
