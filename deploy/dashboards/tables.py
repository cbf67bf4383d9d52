"""Tables: one row for each target, one column for each question."""

from __future__ import annotations

from dataclasses import dataclass
from string import ascii_uppercase

from grafana_foundation_sdk.builders import table
from grafana_foundation_sdk.models.common import TableCellHeight
from grafana_foundation_sdk.models.dashboard import (
    DataTransformerConfig,
    DynamicConfigValue,
)

from deploy.dashboards.dress import Scale, dressed
from deploy.dashboards.links import Link
from deploy.dashboards.queries import Metrics
from deploy.dashboards.thresholds import Limits


@dataclass(frozen=True, slots=True)
class Column:
    """A column *title* with what *expression* says, in *unit*, coloured by *limits*."""

    title: str
    expression: str
    unit: str
    limits: Limits | None = None


def listing(
    title: str, text: str, of: Metrics, keys: list[str], *columns: Column, to: Link
) -> table.Panel:
    """Return a table with a row for each combination of the labels *keys*."""
    # Grafana calls the values after the queries, which the page gives these letters.
    names = dict(zip(ascii_uppercase, columns, strict=False))
    targets = [of.column(column.expression) for column in columns]
    panel = dressed(
        table.Panel(), title, text, scale=Scale("none"), targets=targets, to=to
    )
    for transformation in joined(keys, names):
        panel = panel.with_transformation(transformation)
    for column in columns:
        panel = panel.override_by_name(column.title, look(column))
    return panel.cell_height(TableCellHeight.SM).height(9).span(24)


def joined(keys: list[str], names: dict[str, Column]) -> list[DataTransformerConfig]:
    """Return how the answers become one table: joined, then named and ordered.

    Before they are joined they lose what is in none of the others, the metric's name.
    """
    titles = {f"Value #{name}": column.title for name, column in names.items()}
    order = {name: place for place, name in enumerate([*keys, *titles])}
    return [
        DataTransformerConfig(
            id_val="filterFieldsByName", options={"include": {"names": list(order)}}
        ),
        DataTransformerConfig(id_val="merge", options={}),
        DataTransformerConfig(
            id_val="organize", options={"indexByName": order, "renameByName": titles}
        ),
    ]


def look(column: Column) -> list[DynamicConfigValue]:
    """Return the unit and the colours of *column*."""
    values = [DynamicConfigValue(id_val="unit", value=column.unit)]
    if column.limits is not None:
        limits = column.limits.build().build()
        cell = {"type": "color-text"}
        values += [
            DynamicConfigValue(id_val="thresholds", value=limits),
            DynamicConfigValue(id_val="custom.cellOptions", value=cell),
        ]
    return values
