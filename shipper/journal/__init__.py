"""The systemd journal as a source, read from ``journalctl -o export``."""
