"""Contexts from tls_config: what is trusted, presented, and read again."""

from __future__ import annotations

import ssl
from dataclasses import replace
from pathlib import Path

import pytest

from exporters.toolkit.decode import Secret
from exporters.toolkit.errors import StartError
from shipper.config.tls import TlsConfig, TlsVersion
from shipper.tls import TlsSource, server_context, tls_context, tls_source
from tests.shipper.certificates import Authority, openssl


def test_nothing_said_is_the_default_context() -> None:
    assert tls_context(TlsConfig()) is None
    assert tls_source(TlsConfig()) is None


def test_only_the_given_authority_is_trusted(authority: Authority) -> None:
    context = tls_context(TlsConfig(ca_file=str(authority.pair.cert)))
    assert context
    (trusted,) = context.get_ca_certs()
    assert "authority" in str(trusted["subject"])
    assert context.check_hostname


def test_texts_do_as_files_do(authority: Authority) -> None:
    client = authority.issue("inline")
    context = tls_context(
        TlsConfig(
            ca="a comment, größe\n" + authority.pair.cert.read_text(),
            cert=client.cert.read_text(),
            key=Secret(client.key.read_text()),
        )
    )
    assert context
    assert len(context.get_ca_certs()) == 1


@pytest.mark.parametrize(
    ("least", "most", "expected"),
    [
        ("", "", (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.MAXIMUM_SUPPORTED)),
        ("TLS10", "", (ssl.TLSVersion.TLSv1, ssl.TLSVersion.MAXIMUM_SUPPORTED)),
        ("TLS11", "TLS12", (ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2)),
        ("TLS13", "TLS13", (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_3)),
    ],
)
def test_versions(
    least: TlsVersion, most: TlsVersion, expected: tuple[ssl.TLSVersion, ssl.TLSVersion]
) -> None:
    config = TlsConfig(min_version=least, max_version=most, server_name="x")
    context = tls_context(config)
    assert context
    assert (context.minimum_version, context.maximum_version) == expected


def test_verification_can_be_switched_off() -> None:
    context = tls_context(TlsConfig(insecure_skip_verify=True))
    assert context
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_NONE, False)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (TlsConfig(ca_file="/no/ca.pem"), "/no/ca.pem: No such file or directory"),
        (TlsConfig(ca="rubbish"), "specified CA cert tls_config.ca: no certificate in"),
        (
            TlsConfig(
                ca="-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"
            ),
            "unable to use specified CA cert tls_config.ca: ",
        ),
        (
            TlsConfig(cert="rubbish", key=Secret("s3cret")),
            "client cert (tls_config.cert) & key (tls_config.key): ",
        ),
        (TlsConfig(cert_file="/no/c", key_file="/no/k"), "No such file"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line(config: TlsConfig, words: str) -> None:
    for make in (tls_context, tls_source):
        with pytest.raises(StartError) as told:
            make(config)
        text = str(told.value)
        assert words in text
        assert "\n" not in text
        assert "s3cret" not in text


def test_an_encrypted_key_does_not_ask_the_terminal(authority: Authority) -> None:
    pair = authority.issue("locked")
    locked = authority.folder / "locked2.key"
    openssl(
        "pkey", f"-in={pair.key}", f"-out={locked}", "-aes128", "-passout=pass:secret"
    )
    with pytest.raises(StartError, match="the key is encrypted"):
        tls_context(TlsConfig(cert_file=str(pair.cert), key_file=str(locked)))


def test_files_are_loaded_again_when_their_content_changes(
    authority: Authority, tmp_path: Path
) -> None:
    other = Authority(tmp_path, "other")
    file = tmp_path / "ca.pem"
    file.write_bytes(authority.pair.cert.read_bytes())
    source = TlsSource(TlsConfig(ca_file=str(file)))
    assert source.reads_files
    first = source.current()
    assert source.current() is first
    file.write_bytes(other.pair.cert.read_bytes())
    second = source.current()
    assert second is not first
    assert "other" in str(second.get_ca_certs()[0]["subject"])


def test_a_file_half_written_is_an_error_until_it_is_whole(
    authority: Authority, tmp_path: Path
) -> None:
    file = tmp_path / "ca.pem"
    whole = authority.pair.cert.read_bytes()
    file.write_bytes(whole)
    source = TlsSource(TlsConfig(ca_file=str(file)))
    first = source.current()
    file.write_bytes(whole[:100])
    for _ in range(2):
        with pytest.raises(StartError, match="no certificate in PEM"):
            source.current()
    file.unlink()
    with pytest.raises(StartError, match="No such file"):
        source.current()
    file.write_bytes(whole)
    assert source.current() is first, "nothing has changed after all"


def test_texts_are_never_read_again() -> None:
    assert not TlsSource(TlsConfig(insecure_skip_verify=True)).reads_files


# A listener


def test_a_listener_with_nothing_said_speaks_no_tls() -> None:
    assert server_context(TlsConfig()) is None


@pytest.mark.parametrize("by_file", [True, False])
def test_a_listener_asks_for_a_certificate_when_it_has_an_authority(
    authority: Authority, by_file: bool
) -> None:
    pair = authority.issue(f"listener-{by_file}")
    key = Secret(pair.key.read_text())
    quiet = TlsConfig(cert=pair.cert.read_text(), key=key, min_version="TLS10")
    context = server_context(quiet)
    assert context
    assert context.verify_mode == ssl.CERT_NONE
    assert context.minimum_version == ssl.TLSVersion.TLSv1
    path = authority.pair.cert
    asks = (
        replace(quiet, ca_file=str(path))
        if by_file
        else replace(quiet, ca=path.read_text())
    )
    context = server_context(asks)
    assert context
    assert context.verify_mode == ssl.CERT_REQUIRED


@pytest.mark.parametrize(
    ("ca", "words"),
    [
        (
            TlsConfig(ca_file="/no/ca.pem"),
            "client CA certificate /no/ca.pem: No such file",
        ),
        (TlsConfig(ca="rubbish"), "client CA certificate tls_config.ca: "),
    ],
)
def test_what_a_listener_cannot_use_is_told_in_one_line(
    authority: Authority, ca: TlsConfig, words: str
) -> None:
    pair = authority.issue("teller")
    config = replace(ca, cert_file=str(pair.cert), key_file=str(pair.key))
    with pytest.raises(StartError) as told:
        server_context(config)
    assert f"unable to load {words}" in str(told.value)
    assert "\n" not in str(told.value)


def test_a_listener_needs_certificate_and_key() -> None:
    with pytest.raises(StartError, match="unable to load server certificate or key"):
        server_context(TlsConfig(ca="anything"))
