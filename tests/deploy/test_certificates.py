from __future__ import annotations

import os
import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography import x509

from deploy.stack import authority, certificates
from deploy.stack.settings import Settings, load
from deploy.stack.shell import StackError


@pytest.fixture
def stack(tmp_path: Path) -> Settings:
    return with_values(tmp_path, PUBLIC_HOST="shop.example.org")


def with_values(tmp_path: Path, **values: str) -> Settings:
    env_file = tmp_path / ".env"
    env_file.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    return load(env_file, tmp_path / "state")


def served(stack: Settings) -> x509.Certificate:
    path = stack.certificates / certificates.CHAIN
    return x509.load_pem_x509_certificate(path.read_bytes())


def files(stack: Settings) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in stack.certificates.iterdir()}


def own(stack: Settings, *names: str, authority: trustme.CA | None = None) -> None:
    """Put a certificate there as the person would."""
    folder = stack.certificates
    folder.mkdir(exist_ok=True)
    made = (authority or trustme.CA()).issue_cert(*names)
    chain = b"".join(blob.bytes() for blob in made.cert_chain_pems)
    (folder / certificates.CHAIN).write_bytes(chain)
    (folder / certificates.KEY).write_bytes(made.private_key_pem.bytes())


def shake_hands(stack: Settings, name: str) -> str:
    """Connect as a browser that trusts the authority; return the protocol."""
    folder = stack.certificates
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / certificates.CHAIN, folder / certificates.KEY)
    client = ssl.create_default_context(cafile=folder / authority.CERTIFICATE)
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    browser = client.wrap_bio(to_client, to_server, server_hostname=name)
    site = server.wrap_bio(to_server, to_client, server_side=True)
    for side in (browser, site, browser, site):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return str(browser.version())


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1", "shop.example.org"])
def test_a_browser_that_trusts_the_authority_trusts_the_site(
    stack: Settings, name: str
) -> None:
    assert certificates.ensure(stack)
    assert shake_hands(stack, name) == "TLSv1.3"


def test_another_name_is_refused(stack: Settings) -> None:
    certificates.ensure(stack)
    with pytest.raises(ssl.SSLCertVerificationError, match="not valid for"):
        shake_hands(stack, "www.shop.example.org")


def test_the_folder_guards_what_the_container_must_read(stack: Settings) -> None:
    stack.certificates.mkdir(mode=0o755)
    certificates.ensure(stack)
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode)
        for path in [stack.certificates, *stack.certificates.iterdir()]
    }
    assert modes == {
        stack.certificates.name: 0o700,
        "ca.pem": 0o644,
        "ca-key.pem": 0o600,
        "fullchain.pem": 0o644,
        "privkey.pem": 0o644,
    }


def test_a_good_certificate_stays(stack: Settings) -> None:
    certificates.ensure(stack)
    before = files(stack)
    assert not certificates.ensure(stack)
    assert files(stack) == before


def age(monkeypatch: pytest.MonkeyPatch, days: float) -> None:
    """Let both modules believe that it is *days* later."""

    class Later(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return datetime.now(UTC) + timedelta(days=days)

    monkeypatch.setattr(certificates, "datetime", Later)
    monkeypatch.setattr(authority, "datetime", Later)


@pytest.mark.parametrize(("days", "renewed"), [(366.9, False), (367.1, True)])
def test_it_is_renewed_with_less_than_thirty_days_left(
    stack: Settings, monkeypatch: pytest.MonkeyPatch, days: float, renewed: bool
) -> None:
    certificates.ensure(stack)
    before = files(stack)
    inodes = {path.name: path.stat().st_ino for path in stack.certificates.iterdir()}
    age(monkeypatch, days)
    assert certificates.ensure(stack) is renewed
    after = files(stack)
    assert (after["fullchain.pem"] != before["fullchain.pem"]) is renewed
    assert after["ca.pem"] == before["ca.pem"], "browsers trust it: it stays"
    # The mount of a running container stays with the file that it began with.
    now = {path.name: path.stat().st_ino for path in stack.certificates.iterdir()}
    assert now == inodes


def test_the_authority_is_renewed_before_it_dies_first(
    stack: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificates.ensure(stack)
    before = files(stack)
    age(monkeypatch, 3650 - 390)
    assert certificates.ensure(stack)
    assert files(stack)["ca.pem"] != before["ca.pem"]


def test_other_names_are_another_certificate(stack: Settings, tmp_path: Path) -> None:
    certificates.ensure(stack)
    ca = files(stack)["ca.pem"]
    moved = with_values(tmp_path, PUBLIC_HOST="Blog.Example.org")
    assert certificates.ensure(moved)
    assert shake_hands(moved, "blog.example.org") == "TLSv1.3"
    assert files(moved)["ca.pem"] == ca
    assert certificates.covered(served(moved)) == {
        "localhost",
        "127.0.0.1",
        "::1",
        "blog.example.org",
    }


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({}, set()),
        ({"PUBLIC_HOST": "192.0.2.7"}, {"192.0.2.7"}),
        ({"PUBLIC_HOST": "[2001:db8::1]"}, {"2001:db8::1"}),
        ({"BIND_ADDRESS": "192.0.2.8"}, {"192.0.2.8"}),
        ({"SITE_ADDRESS": "192.0.2.9", "BIND_ADDRESS": "192.0.2.8"}, {"192.0.2.9"}),
        ({"BIND_ADDRESS": "0.0.0.0"}, set()),
        ({"SITE_ADDRESS": "0.0.0.0"}, set()),
        ({"BIND_ADDRESS": "::"}, set()),
        ({"PUBLIC_HOST": "xn--bcher-kva.example"}, {"xn--bcher-kva.example"}),
    ],
)
def test_names(tmp_path: Path, values: dict[str, str], names: set[str]) -> None:
    found = certificates.names(with_values(tmp_path, **values))
    assert found == certificates.ALWAYS | names


@pytest.mark.parametrize(
    "host", ["https://shop.example", "shop.example:8443", "bücher.example", "a b", "-a"]
)
def test_a_host_that_no_certificate_can_name_is_refused(
    tmp_path: Path, host: str
) -> None:
    with pytest.raises(
        StackError, match=r"PUBLIC_HOST=.*: expected the name of a host"
    ):
        certificates.ensure(with_values(tmp_path, PUBLIC_HOST=host))


@pytest.mark.parametrize("name", ["shop.example.org", "*.example.org"])
def test_a_certificate_of_the_persons_own_is_not_touched(
    stack: Settings, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    own(stack, name)
    before = files(stack)
    assert not certificates.ensure(stack)
    assert files(stack) == before
    assert capsys.readouterr().out == ""


def test_nor_when_there_was_one_of_ours_before(stack: Settings) -> None:
    certificates.ensure(stack)
    own(stack, "shop.example.org")
    before = files(stack)
    assert not certificates.ensure(stack)
    assert files(stack) == before


@pytest.mark.parametrize(("days", "verb"), [(-3, "expired"), (9, "expires")])
def test_it_is_said_that_it_ends(
    stack: Settings, days: float, verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = stack.certificates
    folder.mkdir()
    end = datetime.now(UTC) + timedelta(days=days)
    made = trustme.CA().issue_cert("shop.example.org", not_after=end)
    (folder / "fullchain.pem").write_bytes(made.cert_chain_pems[0].bytes())
    (folder / "privkey.pem").write_bytes(made.private_key_pem.bytes())
    assert not certificates.ensure(stack)
    assert f"{verb} on {end:%Y-%m-%d}" in capsys.readouterr().out


def test_it_is_said_that_it_is_for_others(
    stack: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    own(stack, "elsewhere.example.org")
    assert not certificates.ensure(stack)
    assert "not for shop.example.org" in capsys.readouterr().out


def test_a_key_that_nginx_cannot_read_is_refused(stack: Settings) -> None:
    own(stack, "shop.example.org")
    (stack.certificates / "privkey.pem").chmod(0o600)
    with pytest.raises(StackError, match="cannot read it: chmod 0644"):
        certificates.ensure(stack)


def test_half_a_pair_is_refused(stack: Settings) -> None:
    own(stack, "shop.example.org")
    (stack.certificates / "privkey.pem").unlink()
    with pytest.raises(StackError, match=r"privkey\.pem is missing"):
        certificates.ensure(stack)


def test_the_folder_that_docker_made_of_a_missing_file_is_named(
    stack: Settings,
) -> None:
    for name in ("fullchain.pem", "privkey.pem"):
        (stack.certificates / name).mkdir(parents=True)
    with pytest.raises(StackError, match=r"fullchain\.pem is a folder"):
        certificates.ensure(stack)


def test_a_key_of_something_else_is_refused(stack: Settings) -> None:
    own(stack, "shop.example.org")
    other = trustme.CA().issue_cert("shop.example.org").private_key_pem.bytes()
    (stack.certificates / "privkey.pem").write_bytes(other)
    with pytest.raises(StackError, match="is not the key of the certificate"):
        certificates.ensure(stack)


@pytest.mark.parametrize("name", ["fullchain.pem", "privkey.pem"])
def test_what_is_no_pem_is_refused_by_name(stack: Settings, name: str) -> None:
    certificates.ensure(stack)
    (stack.certificates / name).write_text("broken off in the mid")
    with pytest.raises(StackError, match=rf"{name}: expected a .* as PEM"):
        certificates.ensure(stack)


def test_an_authority_without_its_key_is_not_replaced(
    stack: Settings, tmp_path: Path
) -> None:
    certificates.ensure(stack)
    (stack.certificates / "ca-key.pem").unlink()
    assert not certificates.ensure(stack), "as long as nothing has to be made"
    moved = with_values(tmp_path, PUBLIC_HOST="other.example.org")
    with pytest.raises(StackError, match=r"ca-key\.pem is missing beside ca\.pem"):
        certificates.ensure(moved)


def test_nothing_private_is_said(
    stack: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    old = os.umask(0)
    try:
        certificates.ensure(stack)
    finally:
        os.umask(old)
    assert "PRIVATE" not in capsys.readouterr().out
    assert stat.S_IMODE((stack.certificates / "ca-key.pem").stat().st_mode) == 0o600
