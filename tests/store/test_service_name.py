from __future__ import annotations

import pytest

from shipper.store.service_name import DISCOVER_SERVICE_NAME, with_service_name


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({}, "unknown_service"),
        ({"container_name": "web"}, "web"),
        ({"job": "docker", "container_name": "web"}, "web"),
        ({"app": "a", "service": "s"}, "s"),
        ({"service_name": "mine", "app": "a"}, "mine"),
    ],
)
def test_service_name(labels: dict[str, str], expected: str) -> None:
    found = with_service_name(tuple(sorted(labels.items())), DISCOVER_SERVICE_NAME)
    assert dict(found)["service_name"] == expected


def test_no_sources_no_service_name() -> None:
    assert with_service_name((("a", "b"),), ()) == (("a", "b"),)
