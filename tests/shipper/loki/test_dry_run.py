from __future__ import annotations

import io

import pytest

from exporters.toolkit.decode import decode
from shipper.config.model import ClientConfig
from shipper.loki.dry_run import Printer, clients_configured, format_entry
from shipper.pipeline.entry import Entry

from .conftest import Journal


LABELS = (("a", "b"),)


@pytest.mark.parametrize(
    ("timestamp_ns", "text"),
    [
        (1_795_359_600_000_000_000, "2026-11-22T15:00:00+0000"),
        (1_795_359_600_120_000_000, "2026-11-22T15:00:00.12+0000"),
        (1_795_359_600_000_000_001, "2026-11-22T15:00:00.000000001+0000"),
    ],
)
def test_time_as_go_prints_it(timestamp_ns: int, text: str) -> None:
    entry = Entry(timestamp_ns, b"hi \xff", (("k", "v"),))
    assert format_entry(LABELS, entry) == f'{text}\t{{a="b"}}\thi '.encode() + b"\xff"


async def test_prints_and_acknowledges() -> None:
    raw, cursor, entry = io.BytesIO(), Journal(), Entry(0, b"x")
    out = io.TextIOWrapper(raw, "ascii")
    odd = (("a", "größe"), ("b", b"\xff".decode("utf-8", "surrogateescape")))
    await Printer(out).put(odd, entry, cursor)
    text = '1970-01-01T00:00:00+0000\t{a="größe", b="\\xff"}\tx\n'
    assert raw.getvalue().decode() == text
    assert cursor.acknowledged == [entry]


def test_the_clients_are_named_without_secrets() -> None:
    text = b"{url: 'http://u:s3cret@l/p', tenant_id: x, bearer_token: s3cret}"
    client = decode(text, ClientConfig, "c.yaml")
    shown = clients_configured([client, client])
    head = "Clients configured:\n----------------------\n"
    assert shown.startswith(head)
    assert shown.count("tenant_id: x\n") == 2
    assert "url: http://l/p\n" in shown
    assert "s3cret" not in shown
