"""Which header wins: the order of Go's promtail."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipper.loki.headers import (
    USER_AGENT,
    AddedHeader,
    Credentials,
    HeaderError,
    authorize,
    build_headers,
)


TOKEN = Credentials(scheme="Bearer", token="t")


@pytest.mark.parametrize(
    ("credentials", "header"),
    [
        (Credentials(), ""),
        (Credentials(username="u", password="p:ß"), "Basic dTpwOsOf"),
        (Credentials(username="u"), "Basic dTo="),
        (Credentials(scheme="Bearer", token="t"), "Bearer t"),
        (Credentials(scheme="ApiKey", token="t"), "ApiKey t"),
    ],
)
def test_authorization(credentials: Credentials, header: str) -> None:
    assert authorize(credentials) == header
    assert "p:ß" not in repr(credentials)


def test_custom_headers_do_not_replace_those_of_the_protocol() -> None:
    extra = {
        "content-type": "x", "USER-AGENT": "x", "X-Scope-OrgID": "x", "X-A": "b",
        "x-a": "second", "Host": "x", "content-length": "1", "Transfer-Encoding": "x",
    }  # fmt: skip
    assert dict(build_headers("t", extra)) == {
        "Content-Type": "application/x-protobuf",
        "User-Agent": USER_AGENT,
        "X-Scope-OrgID": "t",
        "X-A": "b",
    }
    assert build_headers("", extra)["X-Scope-OrgID"] == "x"


def test_json_is_gzip() -> None:
    headers = build_headers("", {"Content-Encoding": "x"}, encoding="json")
    assert headers["Content-Type"] == "application/json"
    assert headers.getall("Content-Encoding") == ["gzip"]


def test_a_custom_authorization_goes_before_the_login() -> None:
    headers = build_headers("", {"authorization": "mine"}, credentials=TOKEN)
    assert headers.getall("Authorization") == ["mine"]
    assert build_headers("", {}, credentials=TOKEN)["Authorization"] == "Bearer t"


def test_http_headers_come_beside_everything(tmp_path: Path) -> None:
    file = tmp_path / "value"
    file.write_text(" from a file\n")
    added = (AddedHeader("X-Scope-OrgID", ("a", "b"), (str(file),)),)
    headers = build_headers("t", {}, added=added)
    assert headers.getall("X-Scope-OrgID") == ["t", "a", "b", "from a file"]


@pytest.mark.parametrize("content", [b"two\nlines", b"\x00", b"\xff"])
def test_a_file_that_is_no_header(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "secret"
    file.write_bytes(content)
    added = (AddedHeader("X-A", files=(str(file),)),)
    with pytest.raises(HeaderError, match="header X-A: its value must be one line"):
        build_headers("", {}, added=added)
    bearer = Credentials(scheme="Bearer", token_file=str(file))
    with pytest.raises(HeaderError, match="header Authorization"):
        build_headers("", {}, credentials=bearer)


def test_a_basic_password_may_be_any_bytes(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(b"a\xff\nb")
    found = authorize(Credentials(username="u", password_file=str(file)))
    assert found == "Basic dTph/wpi"


def test_a_missing_file_says_which() -> None:
    with pytest.raises(FileNotFoundError, match="/no/such"):
        authorize(Credentials(scheme="Bearer", token_file="/no/such"))
