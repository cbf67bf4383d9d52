"""POST /loki/api/v1/push, from the body to the answer.

The order of the checks is Loki's: body, labels, lines, rate, message size, stream.
Where several streams fail in the file, Loki answers for the last one only and may
answer 204 (pkg/ingester/instance.go overwrites appendErr); here a 429 comes before a
400, and no refusal is hidden.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Final, NamedTuple

from shipper.pipeline.entry import Entry, Metadata
from shipper.store.bucket import TenantBuckets
from shipper.store.errors import Unavailable
from shipper.store.ingest import Batch
from shipper.store.limits import MIB, Limits
from shipper.store.metrics import StoreMetrics
from shipper.store.model import Refusal, Stream, total_bytes
from shipper.store.validate import NO_STREAMS, grouped, parse_streams, validate
from shipper.store.writer import Writer
from shipper.wire.body import parse_body
from shipper.wire.errors import Answer
from shipper.wire.labels import LabelError


log = logging.getLogger(__name__)

_INLINE_BYTES: Final = 64 * 1024
"""A body up to this size is parsed on the loop: about 3 ms."""


class Prepared(NamedTuple):
    """A push after every check that needs no file."""

    streams: list[Stream]
    refusals: list[Refusal]


class Pusher:
    """Take pushes of any tenant; *clock* returns nanoseconds since 1970."""

    def __init__(
        self,
        writer: Writer,
        limits: Limits,
        metrics: StoreMetrics,
        clock: Callable[[], int],
    ) -> None:
        self.failing: str | None = None
        self._writer = writer
        self._limits = limits
        self._metrics = metrics
        self._clock = clock
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="store-decode")
        self._buckets = TenantBuckets(
            limits.ingestion_rate_mb * MIB, limits.ingestion_burst_mb * MIB
        )

    async def push(self, tenant: str, body: bytes, content_type: str) -> None:
        """Store the push *body*; on return all of it is on the disk.

        Raises Answer with Loki's status and text when some or all of it was refused.
        """
        prepared = await self._prepare(body, content_type)
        self._metrics.refused(tenant, prepared.refusals)
        refusals: Sequence[Refusal] = ()
        if prepared.streams:
            self._admit(tenant, prepared.streams)
            refusals = await self._store(tenant, prepared.streams)
            self._metrics.refused(tenant, refusals)
        answer(refusals, prepared.refusals)

    def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown(wait=True)

    async def _prepare(self, body: bytes, content_type: str) -> Prepared:
        now = self._clock()
        if len(body) <= _INLINE_BYTES:
            return prepare(body, content_type, self._limits, now)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._threads, prepare, body, content_type, self._limits, now
        )

    def _admit(self, tenant: str, streams: Sequence[Stream]) -> None:
        """Raise Answer when *streams* exceed the tenant's rate or the message size."""
        size = sum(total_bytes(stream.entries) for stream in streams)
        lines = sum(len(stream.entries) for stream in streams)
        self._metrics.bytes_received.labels(tenant).inc(size)
        self._metrics.lines_received.labels(tenant).inc(lines)
        if not self._buckets.allow(tenant, size, self._clock()):
            lost = Refusal(429, "", "rate_limited", lines, size)
            self._metrics.refused(tenant, [lost])
            limit = int(self._limits.ingestion_rate_mb * MIB)
            raise Answer(
                429,
                f"Ingestion rate limit exceeded for user {tenant} (limit: {limit} "
                f"bytes/sec) while attempting to ingest '{lines}' lines totaling "
                f"'{size}' bytes, reduce log volume or contact your Loki administrator "
                "to see if the limit can be increased",
            )
        message, most = message_bytes(streams), self._limits.max_message_bytes
        if message > most:
            raise Answer(
                500,
                "rpc error: code = ResourceExhausted desc = grpc: received message "
                f"larger than max ({message} vs. {most})",
            )

    async def _store(self, tenant: str, streams: list[Stream]) -> Sequence[Refusal]:
        try:
            outcome = await self._writer.append(Batch(tenant, streams))
        except Unavailable as error:
            self._metrics.failures.inc()
            if error.text != self.failing:  # once per kind, not once per push
                log.error(  # noqa: TRY400 -- one line
                    "push not stored", extra={"fields": {"err": error.text}}
                )
            self.failing = error.text
            raise
        self.failing = None
        self._metrics.duplicates.inc(outcome.duplicates)
        return outcome.refusals


def prepare(body: bytes, content_type: str, limits: Limits, now_ns: int) -> Prepared:
    """Return the push *body* parsed and validated. Raises Answer."""
    pushed = parse_body(body, content_type, limits.max_body_bytes)
    try:
        streams = parse_streams(pushed, limits)
    except LabelError as error:
        raise Answer(400, str(error)) from None
    if not streams:
        raise Answer(422, NO_STREAMS)
    return Prepared(*validate(streams, limits, now_ns))


def answer(stored: Sequence[Refusal], checked: Sequence[Refusal]) -> None:
    """Raise the Answer for what was refused in the file (*stored*) or before it."""
    if stored:
        status = max(refusal.status for refusal in stored)
        texts = [refusal.text for refusal in stored if refusal.status == status]
        raise Answer(status, "\n".join(texts))
    if checked:
        raise Answer(400, grouped([refusal.text for refusal in checked]))


def message_bytes(streams: Sequence[Stream]) -> int:
    """Return the size of the PushRequest that Loki's distributor would send on."""
    total = 0
    for stream in streams:
        labels = len(stream.text.encode())
        size = 1 + _varint(labels) + labels + 11  # and Stream.hash
        size += sum(_framed(_entry_bytes(entry)) for entry in stream.entries)
        total += _framed(size)
    return total


def _entry_bytes(entry: Entry) -> int:
    seconds, nanos = divmod(entry.timestamp_ns, 1_000_000_000)
    stamp = 1 + _varint(seconds) + (1 + _varint(nanos) if nanos else 0)
    size = _framed(stamp) + (_framed(len(entry.line)) if entry.line else 0)
    return size + _metadata_bytes(entry.metadata) if entry.metadata else size


@lru_cache(maxsize=64)  # mostly the level alone
def _metadata_bytes(metadata: Metadata) -> int:
    return sum(
        _framed(_framed(len(name.encode())) + _framed(len(value.encode())))
        for name, value in metadata
    )


def _framed(size: int) -> int:
    return 1 + _varint(size) + size


def _varint(number: int) -> int:
    return 10 if number < 0 else max(1, (number.bit_length() + 6) // 7)
