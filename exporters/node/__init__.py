"""The host's metrics: a drop-in for node_exporter."""
