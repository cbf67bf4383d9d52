"""What a line costs: ``python -m tests.nginx.access_log.bench``."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable, Iterable

from exporters.nginx.access_log.access_log import AccessLog
from exporters.nginx.access_log.lines import json_line
from exporters.nginx.access_log.settings import Match, Relabeling, Settings
from exporters.toolkit.exposition import encode


LINES = 50_000
TIMED = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
    '"$http_referer" "$http_user_agent" $request_length $request_time '
    "$upstream_response_time $upstream_connect_time"
)
URI = Relabeling(
    "uri", "request", 2, matches=(Match("^/([a-z]+)/", "/$1"), Match(".*"))
)


def requests(count: int) -> Iterable[dict[str, object]]:
    """Yield *count* requests as nginx_wordpress_reference.conf logs them."""
    rng = random.Random(6)
    for number in range(count):
        seconds = round(rng.lognormvariate(-3, 1.2), 3)
        yield {
            "time_iso8601": "2026-08-01T12:00:00+00:00",
            "msec": f"1785585600.{number % 1000:03}",
            "remote_addr": f"203.0.113.{number % 256}",
            "host": "www.example.org",
            "method": rng.choice(("GET", "GET", "GET", "POST", "HEAD")),
            "uri": f"/posts/{number}/",
            "args": "utm_source=newsletter",
            "status": rng.choice((200, 200, 200, 304, 404, 500)),
            "bytes": rng.randrange(100_000),
            "request_length": rng.randrange(200, 2000),
            "request_time": seconds,
            "upstream_response_time": f"{seconds:.3f}",
            "upstream_connect_time": "0.000",
            "upstream_header_time": f"{seconds:.3f}",
            "upstream_status": "200",
            "cache": "MISS",
            "referer": "https://www.example.org/",
            "ua": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
            "xff": "",
            "request_id": f"{rng.getrandbits(128):032x}",
            "proto": "HTTP/2.0",
            "scheme": "https",
        }


def as_text(request: dict[str, object]) -> str:
    """Return *request* as TIMED prints it."""
    return (
        '{remote_addr} - - [01/Aug/2026:12:00:00 +0000] "{method} {uri} {proto}" '
        '{status} {bytes} "{referer}" "{ua}" {request_length} {request_time:.3f} '
        "{upstream_response_time} {upstream_connect_time}"
    ).format_map(request)


def measure(title: str, lines: list[bytes], take: Callable[[bytes], object]) -> None:
    best = float("inf")
    for _ in range(3):
        begin = time.process_time()
        for line in lines:
            take(line)
        best = min(best, time.process_time() - begin)
    size = sum(map(len, lines)) / len(lines)
    print(f"{title:40} {best / len(lines) * 1e6:6.2f} µs a line of {size:.0f} bytes")


def scrape(log: AccessLog, title: str) -> None:
    begin = time.process_time()
    metrics = asyncio.run(log.collect(None))
    middle = time.process_time()
    page = encode(metrics)
    end = time.process_time()
    print(
        f"{title:40} {(middle - begin) * 1e3:6.2f} ms collect, "
        f"{(end - middle) * 1e3:.2f} ms encode, {len(page)} bytes"
    )


def main() -> None:
    texts = [as_text(request).encode() for request in requests(LINES)]
    lines = [
        json.dumps(request, separators=(",", ":")).encode()
        for request in requests(LINES)
    ]
    plain = AccessLog(Settings())
    measure("json", lines, plain.line)
    measure("  of that the JSON", lines, json_line.parse)
    measure("json, host", lines, AccessLog(Settings(hosts=("www.example.org",))).line)
    text = Settings(parser="text", format=TIMED)
    measure("text", texts, AccessLog(text).line)
    relabeled = Settings(parser="text", format=TIMED, relabel_configs=(URI,))
    measure("text, uri by regular expression", texts, AccessLog(relabeled).line)
    every = Relabeling("uri", "request_uri")
    folding = AccessLog(Settings(relabel_configs=(every,)))
    measure("json, every line another uri", lines, folding.line)
    scrape(plain, "scrape, 15 label sets")
    scrape(folding, "scrape, 500 label sets and folded")


if __name__ == "__main__":
    main()
