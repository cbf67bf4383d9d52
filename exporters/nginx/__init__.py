"""nginx metrics from stub_status: a drop-in for nginx-prometheus-exporter."""
