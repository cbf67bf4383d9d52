"""Syslog over TCP, TLS and UDP: promtail's scrape config section ``syslog``."""
