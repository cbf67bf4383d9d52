"""What the dashboards ask, with their variables filled in as Grafana does it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from deploy.dashboards.catalogue import FOLDER
from tests.store.test_contract import Server


BUILT_IN: Mapping[str, str] = {
    "__rate_interval": "1m",
    "__interval": "1m",
    "__range": "1h",
}
VARIABLE = re.compile(r"\$\{(?P<braced>\w+)(?::\w+)?\}|\$(?P<plain>[a-z_]\w*)")


@dataclass(frozen=True)
class Question:
    """One query of one panel, or of an annotation."""

    board: str
    panel: str
    legend: str
    language: str
    text: str
    instant: bool = False

    @property
    def name(self) -> str:
        """What the lists of empty answers call it."""
        return f"{self.board} / {self.panel} / {self.legend}".removesuffix(" / ")


def boards() -> dict[str, dict[str, Any]]:
    """Return the committed dashboards by their uid."""
    found = [json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))]
    return {board["uid"]: board for board in found}


def questions(board: Mapping[str, Any], **chosen: str) -> list[Question]:
    """Return all that *board* asks; *chosen* instead of what is chosen at first."""
    values = at_first(board) | chosen
    return [replace(one, text=fill(one.text, values)) for one in written(board)]


def written(board: Mapping[str, Any]) -> Iterator[Question]:
    """Yield what *board* asks, with its variables as they are written."""
    uid = board["uid"]
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            yield Question(
                uid,
                panel["title"],
                target.get("legendFormat", "").replace("__auto", target["refId"]),
                target["datasource"]["type"],
                target["expr"],
                target.get("instant", target.get("queryType") == "instant"),
            )
    for one in board["annotations"]["list"]:
        if "expr" in one:
            yield Question(uid, "annotation", one["name"], "prometheus", one["expr"])


def at_first(board: Mapping[str, Any]) -> dict[str, str]:
    """Return what each variable of *board* stands for until someone chooses."""
    return {
        variable["name"]: (
            variable["allValue"]
            if variable["current"]["value"] == "$__all"
            else variable["current"]["value"]
        )
        for variable in board["templating"]["list"]
    }


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return *text* with its variables replaced; an unknown one is a KeyError."""
    known = {**BUILT_IN, **values}
    return VARIABLE.sub(lambda found: known[found["braced"] or found["plain"]], text)


def ask(server: Server, question: Question, start: int) -> tuple[int, Any]:
    """Return the status and the answer of a log store, about since *start* in ns."""
    end = time.time_ns() + 10**9
    if question.instant:
        return server.get("query", query=question.text, time=end)
    return server.get(
        "query_range", query=question.text, start=start, end=end, step="15s", limit=1000
    )
