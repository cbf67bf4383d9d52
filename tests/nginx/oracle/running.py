"""Run exporters side by side, and ask them over HTTP."""

from __future__ import annotations

import base64
import gzip
import http.client
import os
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.nginx.oracle.originals import Original
from tests.process import DEADLINE_SECONDS, free_port, wait_until_listening


PROJECT = Path(__file__).parents[3]
OURS = (sys.executable, "-m", "exporters.nginx")

# Ours says how long an answer is, Go sends long ones in chunks and none with HEAD.
FRAMING = frozenset({"content-length", "transfer-encoding"})


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it goes over the wire; *path* is not touched."""

    method: str = "GET"
    path: str = "/metrics"
    headers: Mapping[str, str] = field(default_factory=dict)

    def with_password(self, user: str, password: str) -> Request:
        """Return this request with a user's password (RFC 7617)."""
        token = base64.b64encode(f"{user}:{password}".encode()).decode()
        headers = {**self.headers, "Authorization": f"Basic {token}"}
        return Request(self.method, self.path, headers)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client sees of an answer; the body is unpacked."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """Return the body as text."""
        return self.body.decode()


@dataclass(frozen=True, slots=True)
class Exporter:
    """A running exporter."""

    port: int

    def ask(self, request: Request, tls: ssl.SSLContext | None = None) -> Answer:
        """Send *request* on a connection of its own."""
        place = ("127.0.0.1", self.port)
        connection = (
            http.client.HTTPSConnection(*place, timeout=DEADLINE_SECONDS, context=tls)
            if tls
            else http.client.HTTPConnection(*place, timeout=DEADLINE_SECONDS)
        )
        try:
            connection.putrequest(
                request.method, request.path, skip_accept_encoding=True
            )
            for name, value in request.headers.items():
                connection.putheader(name, value)
            connection.endheaders()
            return _read(connection.getresponse())
        finally:
            connection.close()

    def scrape(self, path: str = "/metrics") -> str:
        """Return the text of all metrics."""
        answer = self.ask(Request(path=path))
        assert answer.status == 200, answer
        return answer.text


def _read(response: http.client.HTTPResponse) -> Answer:
    body = response.read()
    headers = {name.lower(): value for name, value in response.getheaders()}
    if headers.get("date", "").endswith(" GMT"):
        headers["date"] = "now"
    if headers.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    seen = {
        name: value.lower() if name == "content-type" else value  # RFC 9110, 8.3.2
        for name, value in headers.items()
        if name not in FRAMING
    }
    return Answer(response.status, seen, body)


@contextmanager
def running(
    command: Sequence[str],
    flags: Sequence[str],
    env: Mapping[str, str] | None = None,
    dashes: str = "--",
) -> Iterator[Exporter]:
    """Run an exporter for as long as the context lasts."""
    port = free_port()
    address = f"{dashes}web.listen-address=127.0.0.1:{port}"
    with subprocess.Popen(
        [*command, *flags, address],
        cwd=PROJECT,
        env=os.environ | dict(env or {}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            wait_until_listening(process)
            yield Exporter(port)
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=DEADLINE_SECONDS)


@dataclass(frozen=True, slots=True)
class Together:
    """Ours and, of the originals, those that are here."""

    ours: Exporter
    originals: Mapping[Original, Exporter]

    def beside(self, original: Original) -> tuple[Exporter, Exporter]:
        """Return *original* and ours; skip the test without it."""
        original.program()
        return self.originals[original], self.ours


@contextmanager
def together(
    originals: Sequence[Original],
    flags: Sequence[str],
    env: Mapping[str, str] | None = None,
) -> Iterator[Together]:
    """Run *originals* and ours with the very same *flags* and *env*.

    Ours takes half a second to start, so it is shared by all of them. Without any of
    them the tests are skipped.
    """
    here = [original for original in originals if original.find()]
    if not here:
        originals[0].program()
    dashes = "-" if originals[0].single_dash else "--"
    with ExitStack() as stack:
        yield Together(
            stack.enter_context(running(OURS, flags, env, dashes)),
            {
                original: stack.enter_context(
                    running([original.program()], flags, env, dashes)
                )
                for original in here
            },
        )
