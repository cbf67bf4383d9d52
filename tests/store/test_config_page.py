"""The page that tells a shipper what would be refused."""

from __future__ import annotations

import yaml

from shipper.loki.config_page import parse_config
from shipper.loki.loki_limits import LokiLimits

from .conftest import SECOND, Open


async def test_the_limits_are_those_of_the_flags(opened: Open) -> None:
    """What the shipper reads there is what the store refuses by."""
    limits = {
        "reject_old_samples_max_age_ns": 90 * SECOND,
        "creation_grace_period_ns": 30 * SECOND,
        "max_line_size_bytes": 1000,
        "max_label_names_per_series": 3,
        "max_label_name_length": 20,
        "max_label_value_length": 30,
        "allow_structured_metadata": False,
        "max_structured_metadata_bytes": 2048,
        "max_structured_metadata_count": 4,
    }
    async with (
        opened(auth_enabled=True, **limits) as store,
        store.client.get("/config") as answer,
    ):
        assert (answer.status, answer.content_type) == (200, "text/plain")
        text = await answer.text()
    assert yaml.safe_load(text)["auth_enabled"] is True
    page = parse_config(text)
    assert page
    assert not page.overridden
    assert page.limits == LokiLimits(
        max_age_ns=90 * SECOND,
        ahead_ns=30 * SECOND,
        line_bytes=1000,
        label_names=3,
        label_name_bytes=20,
        label_value_bytes=30,
        metadata_allowed=False,
        metadata_bytes=2048,
        metadata_pairs=4,
    )


async def test_a_limit_that_is_off_is_none(opened: Open) -> None:
    limits = {"reject_old_samples": False, "max_line_size_bytes": 0}
    async with opened(**limits) as store, store.client.get("/config") as answer:
        text = await answer.text()
    assert yaml.safe_load(text)["limits_config"]["max_line_size"] == "0B"
    page = parse_config(text)
    assert page
    found = page.limits
    assert (found.max_age_ns, found.line_bytes) == (None, None)
    assert found.label_names == 15


async def test_it_is_for_reading_only(opened: Open) -> None:
    async with opened() as store, store.client.post("/config") as answer:
        assert answer.status == 405
