"""Ask an HTTP server: connections, TLS, proxies, bodies of some MiB, answers."""
