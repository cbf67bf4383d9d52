"""Loki's push API as a source: promtail's scrape config section ``loki_push_api``."""
