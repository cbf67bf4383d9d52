"""Prometheus exporters in async Python: the host (`node`) and nginx (`nginx`)."""
