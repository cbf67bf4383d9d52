"""Make metrics of the records: values in, families out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from exporters.nginx.errors import ScrapeError
from exporters.nginx.metrics import Labels
from exporters.toolkit.metric import Metric

from .document import DocumentError, Where, mapping
from .endpoints import Record
from .fields import Entry, Family, Section


Label = dict[str, str]

# Of empty records an answer of 16 MiB has a million, and each makes up to 60 samples:
# more than memory has room for. An nginx with as many servers is not to be found.
MAX_RECORDS = 20_000


class Families:
    """Collect the families of one nginx, all with *labels*."""

    def __init__(self, labels: Labels) -> None:
        self._labels = labels
        self._metrics: dict[str, Metric] = {}
        self._seen: set[tuple[str, tuple[str, ...]]] = set()
        self.repeated: list[str] = []

    def add(self, record: Record) -> None:
        """Add the samples of *record*.

        Raises DocumentError if it is not as expected, and ScrapeError if it is one
        more than MAX_RECORDS.

        Of two with the same labels the first counts, and `repeated` says so: one
        server twice in one upstream makes upstream answer every scrape with 500.
        """
        table = record.table
        key = (table.prefix, record.values)
        if key in self._seen:
            self.repeated.append(" ".join((table.prefix.rstrip("_"), *record.values)))
            return
        if len(self._seen) >= MAX_RECORDS:
            raise ScrapeError(
                f"expected at most {MAX_RECORDS} records in all documents"
            )
        self._seen.add(key)
        labels = {**self._labels, **dict(zip(table.labels, record.values, strict=True))}
        content = mapping(record.content, record.where)
        for section in table.sections:
            self._add_section(section, content, labels, record.where)

    def _add_section(
        self, section: Section, content: dict[str, object], labels: Label, where: Where
    ) -> None:
        for key in section.keys:
            where = (*where, key)
            inner = content.get(key)
            if inner is None and section.skip_null:
                return
            content = mapping(inner, where)
        numbers = _numbers(section.entries, content, where)
        if section.skip_zero and not _checked(numbers, content):
            return
        for (_, family, code, _), number in zip(section.entries, numbers, strict=True):
            own = {**labels, "code": code} if code else labels
            self._metric(family).add_sample(family.name, own, number)

    def _metric(self, family: Family) -> Metric:
        metric = self._metrics.get(family.name)
        if metric is None:
            metric = Metric(family.name, family.help, family.type)
            self._metrics[family.name] = metric
        return metric

    def metrics(self) -> Iterable[Metric]:
        """Return the families."""
        return self._metrics.values()


def _numbers(
    entries: tuple[Entry, ...], content: dict[str, object], where: Where
) -> list[float]:
    # The hot loop: 1,000 servers of upstreams have 65,000 numbers.
    numbers = []
    for key, _, _, read in entries:
        value = content.get(key)
        try:
            numbers.append(read(value))
        except ValueError as error:
            raise DocumentError((*where, key), str(error), value) from None
    return numbers


def _checked(numbers: list[float], content: dict[str, object]) -> bool:
    # Upstream compares the health checks with an empty struct, which has this, too.
    return any(numbers) or content.get("last_passed") is True


def merged(parts: Iterable[Iterable[Metric]]) -> Iterator[Metric]:
    """Yield the families of all *parts*, each name once."""
    families: dict[str, Metric] = {}
    for metric in (metric for part in parts for metric in part):
        known = families.setdefault(metric.name, metric)
        if known is not metric:
            known.extend(metric)
    yield from families.values()
