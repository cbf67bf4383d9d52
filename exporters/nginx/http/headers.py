"""Headers that every request to nginx carries: ``--nginx.header``.

Asked for where nginx answers only the right ``Host`` (nginx-prometheus-exporter #366,
#1163: Bunkerweb), or wants a token. Upstream has no such flag; apache_exporter's
``--custom_headers`` and ``--host_override`` are its relatives. A header may be a
secret, so no error says what was given, and there is a form that reads a file.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from exporters.toolkit import flags
from exporters.toolkit.errors import StartError


HEADER = flags.strings(
    "nginx.header",
    "Header of every request to nginx, as NAME:VALUE. Repeatable. Host decides about "
    "the name in TLS too. For a secret there is --nginx.header-file.",
    env="NGINX_HEADERS",
)
HEADER_FILE = flags.strings(
    "nginx.header-file",
    "File with a header NAME:VALUE on each line, as --nginx.header. Lines that begin "
    "with # are comments. Repeatable.",
    env="NGINX_HEADER_FILE",
)
FLAGS = (HEADER, HEADER_FILE)

MAX_FILE_BYTES = 64 * 1024

# RFC 9110 §5.6.2 token, §5.5 field-value (less obs-text: which encoding would it be).
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[\t\x20-\x7e]*")
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~-]+)(:[0-9]{1,5})?")

# They say where a message ends or what becomes of the connection: the client's part.
_FRAMING = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_ONCE = frozenset({"host", "authorization", "user-agent"})


@dataclass(frozen=True, slots=True)
class Headers:
    """What is added to each request; *fields* stay out of ``repr``: no secret in it.

    *host* is the ``Host`` header to send instead of the URI's, None for that.
    """

    fields: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    host: str | None = None

    @property
    def server_name(self) -> str | None:
        """Return the name to ask for in TLS and to find in the certificate.

        It follows the ``Host`` header, as in blackbox_exporter: where an address is
        asked for a virtual host, the certificate is the virtual host's.
        """
        match = _HOST.fullmatch(self.host) if self.host else None
        return match[1].strip("[]") if match else None


NO_HEADERS = Headers()


def read_headers(values: Iterable[str], files: Iterable[str]) -> Headers:
    """Return the headers of the flags *values* and of the *files* they name.

    Raises StartError, which shows no value, for a file that cannot be read and for
    what is not a header.
    """
    pairs = [_pair(value, HEADER.name) for value in values if value.strip()]
    for path in files:
        pairs.extend(_read(path))
    counts = Counter(name.lower() for name, _ in pairs)
    for name in _ONCE & counts.keys():
        if counts[name] > 1:
            raise StartError(f"--{HEADER.name}: {name} is given {counts[name]} times")
    hosts = [value for name, value in pairs if name.lower() == "host"]
    fields = tuple(pair for pair in pairs if pair[0].lower() != "host")
    return Headers(fields, hosts[0] if hosts else None)


def _read(path: str) -> list[tuple[str, str]]:
    where = f"{HEADER_FILE.name} {path}"
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise StartError(f"--{where}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise StartError(f"--{where}: expected text in UTF-8") from None
    if len(text) > MAX_FILE_BYTES:
        raise StartError(f"--{where}: expected at most {MAX_FILE_BYTES} bytes")
    return [
        _pair(line, f"{where}, line {number}")
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip() and not line.startswith("#")
    ]


def _pair(text: str, where: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    name, value = name.strip(), value.strip(" \t")
    # What stands in front of a colon that is not there may be the secret itself.
    if not colon or _NAME.fullmatch(name) is None:
        raise StartError(f"--{where}: expected NAME:VALUE with a header's name")
    if _VALUE.fullmatch(value) is None:
        raise StartError(f"--{where}: {name} expects a value of printable ASCII")
    if name.lower() in _FRAMING:
        raise StartError(f"--{where}: {name} cannot be set, the client sets it")
    if name.lower() == "host" and _HOST.fullmatch(value) is None:
        raise StartError(f"--{where}: Host expects a value host or host:port")
    return name, value
