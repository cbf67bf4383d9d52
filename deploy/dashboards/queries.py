"""What a panel asks: PromQL and LogQL about the chosen targets and streams."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from grafana_foundation_sdk.builders.loki import Dataquery as LokiQuery
from grafana_foundation_sdk.builders.prometheus import Dataquery as PrometheusQuery
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.common import DataSourceRef
from grafana_foundation_sdk.models.loki import LokiQueryType
from grafana_foundation_sdk.models.prometheus import PromQueryFormat


Query = Builder[Dataquery]

# Whoever has several of them chooses at the top of the dashboard.
PROMETHEUS: Final = DataSourceRef(type_val="prometheus", uid="${prometheus}")
LOKI: Final = DataSourceRef(type_val="loki", uid="${loki}")
GRAFANA: Final = DataSourceRef(type_val="grafana", uid="-- Grafana --")

# Levels as words of the line: the lines of nginx, PHP, MySQL and Go programs have none
# in common but this, and a store without parsers can be asked as well.
ERROR: Final = (
    r'(?i)\b(emerg|alert|crit|critical|fatal|panic|error|err|severe)\b|"status": ?5'
)
WARNING: Final = r'(?i)\b(warn|warning)\b|"status": ?4'


def source_of(targets: Sequence[Query]) -> DataSourceRef:
    """Return the data source that *targets* ask."""
    asked = {type(target) for target in targets}
    if len(asked) != 1:
        message = f"a panel asks one data source, not {sorted(map(str, asked))}"
        raise ValueError(message)
    return LOKI if asked == {LokiQuery} else PROMETHEUS


@dataclass(frozen=True, slots=True)
class Metrics:
    """PromQL about the series that *where* chooses."""

    where: str

    def fill(self, expression: str) -> str:
        """Return *expression* with the selector in the place of each ``@``."""
        return expression.replace("{@", "{" + self.where)

    def over_time(self, expression: str, legend: str) -> Query:
        """Ask for the whole range, for a graph."""
        return self._query(expression, legend).range()

    def now(self, expression: str, legend: str) -> Query:
        """Ask at the end of the range, for a number or a bar for each series."""
        return self._query(expression, legend).instant()

    def column(self, expression: str) -> Query:
        """Ask at the end of the range, for a column of a table."""
        query = self._query(expression, "__auto").instant()
        return query.format(PromQueryFormat.TABLE)

    def _query(self, expression: str, legend: str) -> PrometheusQuery:
        query = PrometheusQuery().expr(self.fill(expression)).legend_format(legend)
        return query.datasource(PROMETHEUS)


@dataclass(frozen=True, slots=True)
class Logs:
    """LogQL about the streams that *where* chooses."""

    where: str

    def fill(self, expression: str) -> str:
        """Return *expression* with the selector in the place of each ``@``."""
        return expression.replace("{@", "{" + self.where)

    def lines(self, expression: str, limit: int = 500) -> Query:
        """Ask for the newest lines, *limit* at most."""
        return self._query(expression, LokiQueryType.RANGE).max_lines(limit)

    def over_time(self, expression: str, legend: str) -> Query:
        """Ask for numbers over the range, for a graph."""
        return self._query(expression, LokiQueryType.RANGE).legend_format(legend)

    def now(self, expression: str, legend: str) -> Query:
        """Ask at the end of the range, for a number or a bar for each series."""
        return self._query(expression, LokiQueryType.INSTANT).legend_format(legend)

    def _query(self, expression: str, kind: LokiQueryType) -> LokiQuery:
        query = LokiQuery().expr(self.fill(expression)).query_type(kind)
        return query.datasource(LOKI)
