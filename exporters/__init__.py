"""Prometheus exporters in async Python: drop-in for node_exporter and nginx-prometheus-exporter."""
