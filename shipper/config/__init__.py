"""promtail.yaml: model, decoding, durations and environment expansion."""
