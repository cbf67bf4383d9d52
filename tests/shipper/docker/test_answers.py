from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, strategies as st

from shipper.docker.answers import (
    fingerprint,
    parse_containers,
    parse_log_config,
    parse_networks,
    parse_running,
    parse_version,
)

from .conftest import ID, listed


def text(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def test_what_is_said() -> None:
    assert parse_version(b'{"ApiVersion":"1.41","Os":"linux"}') == "v1.41"
    assert parse_containers(text([listed()])) == [listed()]
    assert parse_networks(b'[{"Id":"n","Name":"front"}]') == [
        {"Id": "n", "Name": "front"}
    ]
    assert parse_running(b'{"State":{"Running":true}}')
    assert not parse_running(b'{"State":{"Running":false}}')


@pytest.mark.parametrize(
    "answer", [b"{}", b'{"HostConfig":null}', b'{"HostConfig":{"LogConfig":null}}']
)
def test_no_log_config(answer: bytes) -> None:
    assert parse_log_config(answer) == {}


def test_log_config() -> None:
    config = {"Type": "local", "Config": {"max-size": "1m"}}
    assert parse_log_config(text({"HostConfig": {"LogConfig": config}})) == config


@pytest.mark.parametrize(
    ("parse", "answer", "says"),
    [
        (parse_version, b"[]", "expected an object, got []"),
        (parse_version, b"{}", "expected an ApiVersion like 1.41, got None"),
        (parse_version, b'{"ApiVersion":"1.41/../x"}', "expected an ApiVersion"),
        (parse_version, b'{"ApiVersion":1.41}', "expected an ApiVersion"),
        (parse_containers, b"{}", "expected a list, got {}"),
        (parse_containers, b"[7]", "expected an object, got 7"),
        (parse_containers, b'[{"Id":null}]', "expected Id and State, got "),
        (parse_containers, b'[{"Id":"a"}]', "expected Id and State, got "),
        (parse_networks, b'[{"Id":"a"}]', "expected Id and Name, got "),
        (parse_running, b"{}", "expected an object, got None"),
        (parse_running, b'{"State":{}}', "expected State.Running, got None"),
        (parse_log_config, b'{"HostConfig":[1]}', "expected an object, got [1]"),
        (parse_containers, b"", "Expecting value"),
        (parse_containers, b"\xff", "codec can't decode"),
    ],
)
def test_what_is_no_answer(
    parse: Callable[[bytes], object], answer: bytes, says: str
) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        parse(answer)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(["Id", "State", "Name", "Running", "HostConfig", "x"]),
            inner,
        )
    ),
)


@given(JSON.map(text) | st.binary())
def test_anything_is_understood_or_refused(body: bytes) -> None:
    for parse in (
        parse_version,
        parse_containers,
        parse_networks,
        parse_running,
        parse_log_config,
    ):
        try:
            parse(body)
        except ValueError:
            continue


def test_the_status_for_people_is_no_news() -> None:
    before = [listed(Status="Up 5 seconds"), listed("b" * 64, Status="Exited (0)")]
    after = [listed(Status="Up 2 hours"), listed("b" * 64, Status="")]
    assert fingerprint(text(before)) == fingerprint(text(after))


TEXTS = st.text(alphabet='aS"\\:,{}é')


@given(
    st.dictionaries(st.sampled_from(["Names", "State", "x"]), TEXTS),
    st.dictionaries(st.sampled_from(["Names", "State", "x"]), TEXTS),
    TEXTS,
    TEXTS,
)
def test_everything_else_is_news(
    one: dict[str, str], other: dict[str, str], first: str, second: str
) -> None:
    """A text may look like a status, even: quotes in it are escaped."""
    body = text([one | {"Id": ID, "Status": first}])
    changed = text([other | {"Id": ID, "Status": second}])
    if one != other:
        assert fingerprint(body) != fingerprint(changed)
    assert fingerprint(body) == fingerprint(text([one | {"Id": ID, "Status": first}]))
