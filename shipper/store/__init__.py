"""The embedded default: a Loki-API log store in one SQLite file."""
