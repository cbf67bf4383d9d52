"""An HTTP/1.1 server for small answers, which does on the wire what Go's does.

Upstream counterpart: net/http ``server.go`` and ``transfer.go``, ``net/url``. aiohttp
in its place took 13.5 MiB of memory and 110 to 250 ms to import. httptools (llhttp)
refuses methods that Go serves, and does not say what is wrong with a request; it would
read a head in 5 us in place of 12, which `reader` spares for a head like the last one.

Bytes to values, without sockets: `target`, `request`, `head`, `body`, `reader`; values
to bytes: `response`, over `dates`; the sockets: `connection`, `server`, over
`patience`; in front of the handlers: `preliminary`, `application`, `redirect`.
"""
