from __future__ import annotations

import base64
import threading

import bcrypt
import pytest
from hypothesis import given, strategies as st

from exporters.toolkit import basic_auth
from exporters.toolkit.basic_auth import BasicAuth, Credentials, parse_basic
from exporters.toolkit.decode import Secret


def hashed(password: bytes, cost: int = 4) -> Secret:
    return Secret(bcrypt.hashpw(password[:72], bcrypt.gensalt(cost)).decode())


def header(text: bytes, scheme: str = "Basic") -> str:
    return f"{scheme} {base64.b64encode(text).decode()}"


@pytest.mark.parametrize(
    ("given_header", "expected"),
    [
        ("", None),
        ("Basic", None),
        ("Basic !!!", None),
        ("Basic YQ", None),  # no padding
        ("Bearer YTpi", None),
        (header(b"nocolon"), None),
        (header(b"a:b"), ("a", "b")),
        (header(b"a:b", "bAsIc"), ("a", "b")),
        (header(b"a:b:c"), ("a", "b:c")),
        (header(b":"), ("", "")),
        (header("ä:ö".encode()), ("ä", "ö")),
        (header(b"\xff:\xfe"), ("\udcff", "\udcfe")),
        ("Basic ä", None),
    ],
)
def test_header(given_header: str, expected: tuple[str, str] | None) -> None:
    found = parse_basic(given_header)
    assert (found and (found.user, found.password.reveal())) == expected
    assert "b" not in repr(found and found.password)


@given(st.text())
def test_a_header_may_be_anything(text: str) -> None:
    assert parse_basic(text) is None or text[:6].lower() == "basic "


class Counting:
    """Counts how often bcrypt is computed, and in which thread."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.threads: list[str] = []
        real = basic_auth._matches

        def matches(password: Secret, hashed: Secret) -> bool:
            self.threads.append(threading.current_thread().name)
            return real(password, hashed)

        monkeypatch.setattr(basic_auth, "_matches", matches)


def known(user: str, password: str) -> Credentials:
    return Credentials(user, Secret(password))


async def test_right_and_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    counting = Counting(monkeypatch)
    auth = BasicAuth()
    users = {"bob": hashed(b"secret"), "eve": hashed("pä\0ss".encode())}
    try:
        for _ in range(3):
            assert await auth.allows(users, known("bob", "secret"))
            assert not await auth.allows(users, known("bob", "Secret"))
            assert not await auth.allows(users, known("bob", ""))
            assert not await auth.allows(users, known("nobody", "secret"))
            assert not await auth.allows(users, known("eve", "pä"))
            assert await auth.allows(users, known("eve", "pä\0ss"))
    finally:
        auth.close()
    assert len(counting.threads) == 6  # each once, the unknown user as well
    assert {name.rpartition("_")[0] for name in counting.threads} == {"web-bcrypt"}


async def test_a_new_hash_is_looked_at_anew() -> None:
    auth = BasicAuth()
    try:
        assert await auth.allows({"bob": hashed(b"old")}, known("bob", "old"))
        assert not await auth.allows({"bob": hashed(b"new")}, known("bob", "old"))
        assert await auth.allows({"bob": hashed(b"new")}, known("bob", "new"))
        assert not await auth.allows({}, known("bob", "new"))
    finally:
        auth.close()


async def test_guesses_do_not_push_out_who_was_right(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(basic_auth, "_REMEMBERED", 3)
    auth = BasicAuth()
    users = {"bob": hashed(b"secret")}
    try:
        assert await auth.allows(users, known("bob", "secret"))
        for number in range(10):
            assert not await auth.allows(users, known("bob", str(number)))
        counting = Counting(monkeypatch)
        assert await auth.allows(users, known("bob", "secret"))
        assert counting.threads == []
        assert len(auth._wrong) == 3
    finally:
        auth.close()


async def test_long_passwords_and_what_is_no_hash() -> None:
    auth = BasicAuth()
    users = {"bob": hashed(b"x" * 72), "eve": Secret("not a hash"), "joe": Secret()}
    try:
        assert await auth.allows(users, known("bob", "x" * 100))
        assert not await auth.allows(users, known("eve", "not a hash"))
        assert not await auth.allows(users, known("joe", ""))
    finally:
        auth.close()


@pytest.mark.parametrize("prefix", ["$2a$", "$2b$", "$2y$"])
async def test_versions_of_bcrypt(prefix: str) -> None:
    auth = BasicAuth()
    users = {"bob": Secret(prefix + hashed(b"secret").reveal()[4:])}
    try:
        assert await auth.allows(users, known("bob", "secret"))
    finally:
        auth.close()


def test_an_unknown_user_costs_what_the_dearest_known_one_costs() -> None:
    users = {"a": hashed(b"x", 4), "b": hashed(b"x", 6), "c": Secret("junk")}
    nobody = basic_auth._nobody(users).reveal()
    assert nobody.startswith("$2b$06$")
    assert bcrypt.checkpw(b"x", nobody.encode()) is False
    assert basic_auth._nobody({}).reveal().startswith("$2b$10$")


async def test_no_password_is_kept() -> None:
    auth = BasicAuth()
    try:
        await auth.allows({"bob": hashed(b"hunter2")}, known("bob", "hunter2"))
        await auth.allows({"bob": hashed(b"hunter2")}, known("bob", "hunter3"))
    finally:
        auth.close()
    kept = repr(auth._right) + repr(auth._wrong)
    assert "hunter" not in kept
