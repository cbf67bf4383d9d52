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
from tests.nginx.oracle.running import Request, Together, together


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


@pytest.fixture(scope="module")
def protected(
    doors: Doors,
    certificate: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Together]:
    """Run all with a file that asks for TLS and for a password."""
    file = tmp_path_factory.mktemp("web") / "web.yml"
    hashed = bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()
    file.write_text(WEB_CONFIG.format(pem=certificate, hashed=hashed))
    uri = doors.fill("--nginx.scrape-uri=http://127.0.0.1:{plain}/fixed")
    with together(ONE_X, [uri, f"--web.config.file={file}"]) as running:
        yield running


@pytest.fixture(scope="module")
def tls(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=f"{certificate}.crt")


@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize("original", ONE_X, ids=str)
def test_password_and_tls(
    original: Original, name: str, protected: Together, tls: ssl.SSLContext
) -> None:
    pair = protected.beside(original)
    theirs, ours = [each.ask(REQUESTS[name], tls) for each in pair]
    assert different(theirs, ours) == {}
    assert ours.status == {"alice nowhere": 404}.get(
        name, 200 if name.startswith("alice") else 401
    )
    assert ours.headers["x-frame-options"] == "deny"


@pytest.mark.parametrize("original", ONE_X, ids=str)
def test_http_spoken_to_https(original: Original, protected: Together) -> None:
    theirs, ours = [each.ask(Request()) for each in protected.beside(original)]
    assert different(theirs, ours) == {}
    assert ours.status == 400


# The telemetry path, and what is asked for then.
PATHS = {
    "/m": ["/m", "/metrics", "/", "/m/", "//m", "/m?name[]="],
    "/deep/er": ["/deep/er", "/deep", "/"],
    "/": ["/", "//", "/?x=1"],
}


@pytest.fixture(scope="module", params=PATHS)
def elsewhere(
    request: pytest.FixtureRequest, doors: Doors
) -> Iterator[tuple[list[str], Together]]:
    """Run all with another telemetry path."""
    uri = doors.fill("--nginx.scrape-uri=http://127.0.0.1:{plain}/fixed")
    path = request.param
    with together(ONE_X, [uri, f"--web.telemetry-path={path}"]) as running:
        yield PATHS[path], running


@pytest.mark.parametrize("original", ONE_X, ids=str)
def test_telemetry_path(
    original: Original, elsewhere: tuple[list[str], Together]
) -> None:
    asked, running = elsewhere
    pair = running.beside(original)
    for each in asked:
        theirs, ours = [exporter.ask(Request(path=each)) for exporter in pair]
        if original.name_filter or "name[]" not in each:
            assert different(theirs, ours) == {}, each
