"""What is chosen at the top of a dashboard: data sources, targets, streams."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import (
    CustomVariable,
    DatasourceVariable,
    QueryVariable,
    TextBoxVariable,
)
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.common import DataSourceRef
from grafana_foundation_sdk.models.dashboard import (
    VariableModel,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from deploy.dashboards import queries, uids


Variable = Builder[VariableModel]

EVERYTHING = VariableOption(selected=True, text="All", value="$__all")


def sources() -> list[Variable]:
    """Return the choice of Prometheus and Loki; ours are what is chosen at first."""
    return [
        source("prometheus", "Prometheus", uids.PROMETHEUS),
        source("loki", "Loki", uids.LOKI),
    ]


def source(kind: str, title: str, uid: str) -> Variable:
    """Return the choice among the data sources of one *kind*."""
    ours = VariableOption(selected=True, text=title, value=uid)
    return DatasourceVariable(kind).label(title).type(kind).current(ours)


def targets(metric: str) -> list[Variable]:
    """Return the choice among the targets that have *metric*: all of them at first."""
    return [
        prometheus("job", "Job", f"label_values({metric}, job)"),
        prometheus(
            "instance", "Instance", f'label_values({metric}{{job=~"$job"}}, instance)'
        ),
    ]


def prometheus(name: str, label: str, query: str) -> Variable:
    """Return a choice of label values in Prometheus; `All` needs the label."""
    asked: dict[str, object] = {"query": query, "refId": name}
    return several(name, label, queries.PROMETHEUS).query(asked).all_value(".+")


def streams(job: str) -> list[Variable]:
    """Return the choice among the streams of one *job*, wherever it runs."""
    return [*places(), service("log_job", "Log job", job)]


def service(name: str, label: str, job: str) -> Variable:
    """Return the choice of one job of Loki, *job* at first."""
    chosen = VariableOption(selected=True, text=job, value=job)
    among = '{host=~"$host",compose_project=~"$project",job=~".+"}'
    variable = loki(name, label, "job", among).current(chosen)
    return variable.include_all(False).multi(False)


def places() -> list[Variable]:
    """Return the choice of the host and of the project whose logs are shown."""
    return [
        loki("host", "Log host", "host", ""),
        loki("project", "Project", "compose_project", '{host=~"$host",job=~".+"}'),
    ]


def loki(name: str, label: str, of: str, among: str) -> QueryVariable:
    """Return a choice of the values of label *of* in Loki.

    `All` takes streams without the label too, as another shipper may send them.
    """
    asked: dict[str, object] = {"label": of, "refId": name, "stream": among, "type": 1}
    return several(name, label, queries.LOKI).query(asked).all_value(".*")


def several(name: str, label: str, of: DataSourceRef) -> QueryVariable:
    """Return a choice of any number of values, `All` at first."""
    variable = QueryVariable(name).label(label).datasource(of).current(EVERYTHING)
    variable = variable.refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
    return variable.multi(True).include_all(True).sort(VariableSort.NATURAL_ASC)


def one_of(name: str, label: str, choices: dict[str, str]) -> Variable:
    """Return the choice of one of *choices*, text by name; the first at first."""
    options = [
        VariableOption(text=text, value=value) for text, value in choices.items()
    ]
    options[0].selected = True
    # A comma would end the value.
    texts = [f"{text} : {value}".replace(",", r"\,") for text, value in choices.items()]
    variable = CustomVariable(name).label(label).values(", ".join(texts))
    return variable.options(options).current(options[0])


def text_box(name: str, label: str) -> Variable:
    """Return a field for any text, empty at first."""
    nothing = VariableOption(selected=True, text="", value="")
    variable = TextBoxVariable(name).label(label).default_value("")
    return variable.current(nothing).options([nothing])
