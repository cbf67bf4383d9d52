"""Metrics from nginx's access log (prometheus-nginxlog-exporter's families)."""
