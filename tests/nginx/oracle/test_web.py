"""The exporters' own TLS, passwords and telemetry path, side by side."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import bcrypt
import pytest

from tests.nginx.oracle.answers import different
from tests.nginx.oracle.conftest import Doors
from tests.nginx.oracle.originals import ONE_X, Original
from tests.nginx.oracle.running import Exporter, Request, both


pytestmark = pytest.mark.oracle

WEB_CONFIG = """
tls_server_config:
  cert_file: {pem}
  key_file: {pem}
basic_auth_users:
  alice: {hashed}
http_server_config:
  headers:
    X-Frame-Options: deny
    Strict-Transport-Security: max-age=600
"""
REQUESTS = {
    "nobody": Request(),
    "alice": Request().with_password("alice", "secret"),
    "alice at /": Request(path="/").with_password("alice", "secret"),
    "alice nowhere": Request(path="/nope").with_password("alice", "secret"),
    "alice, HEAD": Request("HEAD").with_password("alice", "secret"),
    "wrong password": Request().with_password("alice", "Secret"),
    "bob": Request().with_password("bob", "secret"),
    "nobody nowhere": Request(path="/nope"),
    "another scheme": Request(headers={"Authorization": "Bearer secret"}),
    "no base64": Request(headers={"Authorization": "Basic ***"}),
}


@pytest.fixture(scope="module", params=ONE_X, ids=str)
def protected(
    request: pytest.FixtureRequest,
    doors: Doors,
    certificate: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Exporter, Exporter]]:
    """Run both with a file that asks for TLS and for a password."""
    file = tmp_path_factory.mktemp("web") / "web.yml"
    hashed = bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()
    file.write_text(WEB_CONFIG.format(pem=certificate, hashed=hashed))
    uri = doors.fill("--nginx.scrape-uri=http://127.0.0.1:{plain}/fixed")
    with both(request.param, [uri, f"--web.config.file={file}"]) as pair:
        yield pair


@pytest.fixture(scope="module")
def tls(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=f"{certificate}.crt")


@pytest.mark.parametrize("name", REQUESTS)
def test_password_and_tls(
    name: str, protected: tuple[Exporter, Exporter], tls: ssl.SSLContext
) -> None:
    theirs, ours = [each.ask(REQUESTS[name], tls) for each in protected]
    assert different(theirs, ours) == {}
    assert ours.status == {"alice nowhere": 404}.get(
        name, 200 if name.startswith("alice") else 401
    )
    assert ours.headers["x-frame-options"] == "deny"


def test_http_spoken_to_https(protected: tuple[Exporter, Exporter]) -> None:
    theirs, ours = [each.ask(Request()) for each in protected]
    assert different(theirs, ours) == {}
    assert ours.status == 400


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/m", ["/m", "/metrics", "/", "/m/", "//m", "/m?name[]="]),
        ("/deep/er", ["/deep/er", "/deep", "/"]),
        ("/", ["/", "//", "/?x=1"]),
    ],
)
@pytest.mark.parametrize("original", ONE_X, ids=str)
def test_telemetry_path(
    original: Original, path: str, asked: list[str], doors: Doors
) -> None:
    uri = doors.fill("--nginx.scrape-uri=http://127.0.0.1:{plain}/fixed")
    with both(original, [uri, f"--web.telemetry-path={path}"]) as pair:
        for each in asked:
            request = Request(path=each)
            theirs, ours = [exporter.ask(request) for exporter in pair]
            if original.name_filter or "name[]" not in each:
                assert different(theirs, ours) == {}, each
