"""From a panel to the logs of the same time, and from dashboard to dashboard."""

from __future__ import annotations

from urllib.parse import quote

from grafana_foundation_sdk.builders.dashboard import DashboardLink as LinkBuilder
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import DashboardLink

from deploy.dashboards import uids


SOURCES = "${prometheus:queryparam}&${loki:queryparam}"
TIME = "from=${__from}&to=${__to}"


class DataLink(DashboardLink):
    """A link of a value, of which Grafana wants fewer keys than the SDK writes."""

    def to_json(self) -> dict[str, object]:
        """Return the keys of a data link."""
        return {"title": self.title, "url": self.url, "targetBlank": self.target_blank}


class Link(Builder[DashboardLink]):
    """A data link with *title* to *url*."""

    def __init__(self, title: str, url: str) -> None:
        self._link = DataLink(title=title, url=url)

    def build(self) -> DashboardLink:
        """Return the link."""
        return self._link


def logs(job: str = "", *, level: str = "", streams: bool = False) -> Link:
    """Return the link to the log lines of the time that the panel shows.

    *streams* takes along what is chosen of hosts and projects, on dashboards with
    these variables.
    """
    parts = [SOURCES, TIME]
    parts += ["${host:queryparam}", "${project:queryparam}"] if streams else []
    parts += [f"var-job={quote(job)}"] if job else []
    parts += [f"var-level={quote(level, safe='')}"] if level else []
    title = f"Logs of {job} at this time" if job else "Logs of this time"
    return Link(title, f"/d/{uids.LOGS}?{'&'.join(parts)}")


def logs_of_container() -> Link:
    """Return the link to the lines of the container whose value was clicked."""
    series = "var-container=${__field.labels.container_name}"
    url = f"/d/{uids.LOGS}?{SOURCES}&{TIME}&{series}"
    return Link("Logs of this container at this time", url)


def board(uid: str) -> Link:
    """Return the link to the dashboard *uid* at the same time."""
    return Link(f"{uids.TITLES[uid]} at this time", f"/d/{uid}?{SOURCES}&{TIME}")


def bar(own: str) -> list[Builder[DashboardLink]]:
    """Return the links to all dashboards but the *own*, with sources and time kept."""
    return [
        LinkBuilder(title)
        .url(f"/d/{uid}?{SOURCES}")
        .tooltip(f"{title}, at the same time")
        .icon("dashboard")
        .keep_time(True)
        for uid, title in uids.TITLES.items()
        if uid != own
    ]
