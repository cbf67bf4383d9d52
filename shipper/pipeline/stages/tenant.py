"""``tenant``: whose line it is (promtail stages/tenant.go).

The label that is set here never gets to Loki as one: `shipper.loki.outlet` makes the
header X-Scope-OrgID of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from exporters.toolkit.decode import Problem
from shipper.pipeline.labelset import LabelSet, Memo
from shipper.pipeline.record import Record
from shipper.pipeline.stage import Filter, Workshop
from shipper.pipeline.values import text_of


TENANT_LABEL: Final = "__tenant_id__"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Where the tenant is: in a label, in what was extracted, or written here."""

    label: str = ""
    source: str = ""
    value: str = ""

    def problems(self) -> Iterator[Problem]:
        given = [key for key in (self.label, self.source, self.value) if key]
        if not given:
            yield Problem("label, source or value config are required")
        elif len(given) > 1:
            yield Problem(
                "label, source and value are mutually exclusive: "
                "you should set source, value or label but not all"
            )

    def build(self, _: Workshop) -> Filter:
        """Return the stage."""
        return _Tenant(self)


class _Tenant(Filter):
    """Sets the tenant; one that is missing or empty changes nothing."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._memo: Memo[tuple[LabelSet, str], LabelSet] = Memo()

    def apply(self, record: Record) -> bool:
        tenant = self._find(record)
        if tenant:
            key = record.labels, tenant
            record.labels = self._memo.get(key) or self._memo.remember(
                key,
                record.labels.having({TENANT_LABEL: tenant}),
                record.labels.size + len(tenant),
            )
        return True

    def _find(self, record: Record) -> str | None:
        config = self._config
        if config.source:
            return text_of(record.extracted.get(config.source))
        return record.labels.get(config.label) if config.label else config.value
