"""What is to be done for one access log, whether flags or a file asked for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from exporters.nginx.access_log.settings import Settings
from exporters.nginx.access_log.sources.listen import Listen
from exporters.toolkit.errors import StartError


# ngx_syslog.c, ngx_syslog_process_conf
DEFAULT_TAGS: Final = ("nginx",)


@dataclass(frozen=True, slots=True)
class Plan:
    """Where the lines of one access log come from, and what is made of them."""

    settings: Settings
    files: tuple[str, ...] = ()
    listens: tuple[Listen, ...] = ()
    tags: tuple[str, ...] = DEFAULT_TAGS
    print_log: bool = False

    @property
    def sources(self) -> tuple[str, ...]:
        """Where the lines come from, in words."""
        return (*map(str, self.listens), *self.files)


def distinct(plans: Iterable[Plan]) -> Iterator[Plan]:
    """Yield *plans*, each with a name of its own.

    Raises StartError for two whose series could not be told apart: of those upstream
    answers every scrape with 500.
    """
    names: dict[str, int] = {}
    series: dict[tuple[object, ...], str] = {}
    for plan in plans:
        settings = plan.settings
        key = settings.prefix, *sorted(settings.const_labels.items())
        if key in series:
            raise StartError(
                f"access logs '{series[key]}' and '{settings.name}' have the same "
                f"metrics with the prefix '{settings.prefix}', expected another "
                "prefix or a namespace_label"
            )
        series[key] = settings.name
        count = names[settings.name] = names.get(settings.name, 0) + 1
        if count > 1:
            settings = replace(settings, name=f"{settings.name}-{count}")
        yield replace(plan, settings=settings)
