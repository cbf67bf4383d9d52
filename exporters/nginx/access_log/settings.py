"""What one access log's metrics are made of: its format, its labels, their limits.

Upstream counterpart: prometheus-nginxlog-exporter ``pkg/config/struct_namespace.go``
and ``struct_relabel.go``. The fields are spelled as the keys of its YAML file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from exporters.nginx.access_log.flags import DEFAULT_MAX_SERIES


# nginx's own "combined" and one field more; upstream's default.
DEFAULT_FORMAT: Final = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
    '"$http_referer" "$http_user_agent" "$http_x_forwarded_for"'
)
# client_golang's DefBuckets, in seconds.
DEFAULT_BUCKETS: Final = (
    *(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5),
    *(1.0, 2.5, 5.0, 10.0),
)
ParserKind = Literal["json", "text"]


@dataclass(frozen=True, slots=True)
class Match:
    """One way to rewrite a value: where *regexp* (RE2) matches, *replacement* (``$1``).

    Of several only the first that matches is applied, to each of its matches.
    """

    regexp: str
    replacement: str = ""


@dataclass(frozen=True, slots=True)
class Relabeling:
    """How the field *from_* of a line becomes the label *target_label*.

    *split* takes the nth part (from 1; 0: all of it) between *separator*s. Then a
    value outside the *whitelist*, if there is one, is ``other``; without one, *matches*
    rewrite it, and a value that none of them matches is empty. With *only_counter*
    nothing but the response count has the label.
    """

    target_label: str
    from_: str
    split: int = 0
    separator: str = " "
    whitelist: tuple[str, ...] = ()
    matches: tuple[Match, ...] = ()
    only_counter: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """The metrics of one access log.

    *name* is the label ``log`` of the exporter's own families about it. *prefix*
    begins the names of the others, which have *const_labels*; those about requests
    have *labels* too. Empty *histogram_buckets* are client_golang's. A host outside
    *hosts* is ``other``; without *hosts* there is no label for it. At most
    *max_series* label sets are kept; lines that would begin another are counted
    under ``other``.
    """

    name: str = "nginx"
    prefix: str = "nginx"
    const_labels: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    relabel_configs: tuple[Relabeling, ...] = ()
    histogram_buckets: tuple[float, ...] = ()
    parser: ParserKind = "json"
    format: str = DEFAULT_FORMAT
    hosts: tuple[str, ...] = ()
    max_series: int = DEFAULT_MAX_SERIES
