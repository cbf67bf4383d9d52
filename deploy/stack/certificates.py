"""The site's certificate: the person's own, or one of an authority of this host."""

from __future__ import annotations

import ipaddress
import re
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from deploy.stack import authority
from deploy.stack.settings import Settings
from deploy.stack.shell import StackError, say


CHAIN = "fullchain.pem"
KEY = "privkey.pem"
ALWAYS = frozenset({"localhost", "127.0.0.1", "::1"})
EVERYWHERE = frozenset({"0.0.0.0", "::"})  # addresses that nobody visits
RENEW = timedelta(days=30)
HOST = re.compile(r"(?!-)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*", re.ASCII)


def ensure(settings: Settings) -> bool:
    """Make or renew the certificate; whether nginx has to read a new one.

    A certificate that somebody else made is never touched, only looked at.
    """
    folder, wanted = settings.certificates, names(settings)
    found = read(folder)
    if found is not None and not authority.made_here(found):
        look_at(folder / CHAIN, found, wanted)
        check_readable(folder / KEY)
        return False
    if found is not None and good(found, wanted):
        return False
    renew(folder, wanted)
    return True


def names(settings: Settings) -> frozenset[str]:
    """Return the names and addresses under which the site is visited."""
    values = settings.values
    public = values.get("PUBLIC_HOST", "").strip().strip("[]").lower()
    if public and not is_address(public) and not HOST.fullmatch(public):
        raise StackError(
            f"PUBLIC_HOST={public} in {settings.env_file}: expected the name of a host "
            "(in ASCII, as xn--…) or an address, without a scheme and a port"
        )
    bound = values.get("SITE_ADDRESS") or values.get("BIND_ADDRESS", "")
    return frozenset(filter(None, {*ALWAYS, public, bound.strip("[]")})) - EVERYWHERE


def is_address(text: str) -> bool:
    """Whether *text* is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def read(folder: Path) -> x509.Certificate | None:
    """Return the site's certificate, None where there is none; check its key."""
    chain, key = folder / CHAIN, folder / KEY
    missing = [path for path in (chain, key) if not path.is_file()]
    if len(missing) == 2 and not any(path.exists() for path in missing):
        return None
    for path in missing:
        what = "is a folder" if path.is_dir() else "is missing"
        raise StackError(
            f"{path} {what}: {CHAIN} and {KEY} belong together; "
            "remove both for a certificate of this host's own"
        )
    try:
        certificate = x509.load_pem_x509_certificate(chain.read_bytes())
    except ValueError as error:
        raise StackError(f"{chain}: expected a certificate as PEM: {error}") from error
    try:
        private = load_pem_private_key(key.read_bytes(), password=None)
    except (ValueError, TypeError) as error:
        raise StackError(f"{key}: expected a key as PEM, without a password") from error
    if private.public_key() != certificate.public_key():
        raise StackError(f"{key} is not the key of the certificate in {chain}")
    return certificate


def good(certificate: x509.Certificate, wanted: frozenset[str]) -> bool:
    """Whether *certificate* lasts a while and is for *wanted*, no more and no less."""
    return left(certificate) >= RENEW and covered(certificate) == wanted


def left(certificate: x509.Certificate) -> timedelta:
    """Return how long *certificate* is still valid."""
    return certificate.not_valid_after_utc - datetime.now(UTC)


def covered(certificate: x509.Certificate) -> frozenset[str]:
    """Return the names and addresses that *certificate* is for."""
    try:
        found = certificate.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        ).value
    except x509.ExtensionNotFound:
        return frozenset()
    addresses = found.get_values_for_type(x509.IPAddress)
    return frozenset([*found.get_values_for_type(x509.DNSName), *map(str, addresses)])


def look_at(path: Path, certificate: x509.Certificate, wanted: frozenset[str]) -> None:
    """Say what is wrong with a certificate that is not ours to renew."""
    if left(certificate) < RENEW:
        end = f"{certificate.not_valid_after_utc:%Y-%m-%d}"
        verb = "expires" if left(certificate) > timedelta() else "expired"
        say(f"{path} {verb} on {end}: whoever gave it gives a new one")
    absent = [name for name in wanted - ALWAYS if not matches(certificate, name)]
    if absent:
        say(f"{path} is not for {', '.join(sorted(absent))}: browsers will refuse it")


def matches(certificate: x509.Certificate, name: str) -> bool:
    """Whether *certificate* is for *name*, by itself or by a wildcard."""
    return not {name, "*." + name.partition(".")[2]}.isdisjoint(covered(certificate))


def check_readable(path: Path) -> None:
    """Refuse a key that nginx in its container, who is nobody here, could not read."""
    if not path.stat().st_mode & stat.S_IROTH:
        raise StackError(
            f"{path}: nginx in its container cannot read it: chmod 0644 it, and "
            f"chmod 0700 {path.parent} so that nobody else can"
        )


def renew(folder: Path, wanted: frozenset[str]) -> None:
    """Write a new certificate, and a new authority where the old one is too old."""
    # Who may not enter the folder reads no key in it. The files are for everybody: a
    # container's user is somebody else, and the mounts lead past the folder.
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    ours = authority.load(folder)
    if ours is None or not ours.lasts():
        ours = authority.make()
        ours.keep(folder)
        say(f"import {folder / authority.CERTIFICATE} into your browser: docs/site.md")
    chain, key = ours.issue(sorted(wanted))
    authority.write(folder / KEY, key, 0o644)
    authority.write(folder / CHAIN, chain, 0o644)
    say(f"a certificate for {', '.join(sorted(wanted))}: {folder / CHAIN}")
