"""Ask an HTTP server as Go's net/http does: connections, TLS, headers, redirects."""
