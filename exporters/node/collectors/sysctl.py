"""Kernel parameters that the flags name (node_exporter collector/sysctl_linux.go)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from exporters.node import integers, procfs
from exporters.node.apart import Apart
from exporters.node.families import name_part
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.flags import strings
from exporters.toolkit.metric import GaugeMetricFamily, Metric, UntypedMetricFamily


INCLUDE = strings("collector.sysctl.include", "Select sysctl metrics to include")
INCLUDE_INFO = strings(
    "collector.sysctl.include-info",
    "Select sysctl metrics to include as info metrics",
)


@dataclass(frozen=True, slots=True)
class Sysctl:
    """One flag's value: ``fs.file-nr`` or, with names, ``fs.file-nr:a,b,c``."""

    name: str
    keys: tuple[str, ...]
    is_info: bool

    @classmethod
    def parse(cls, text: str, *, is_info: bool) -> Sysctl:
        """Return what *text* asks for."""
        name, colon, keys = text.partition(":")
        return cls(name, tuple(keys.split(",")) if colon else (), is_info)

    @property
    def path(self) -> str:
        """Return where the file is below ``/proc``."""
        return f"sys/{self.name.replace('.', '/')}"

    @property
    def metric(self) -> str:
        """Return the metric of its numbers."""
        return f"node_sysctl_{name_part(self.name)}"

    def read(self, path: str) -> list[Metric]:
        """Return what is exported of the file at *path*. Raises OSError, ValueError."""
        data = procfs.read_optional(path)
        if data is None:
            raise ValueError("there is no such sysctl")
        return list(self.families(data))

    def families(self, data: bytes) -> Iterator[Metric]:
        """Yield what is exported of the file's *data*. Raises ValueError."""
        words = procfs.text(data).split()
        if not words:
            raise ValueError(f"sysctl {self.name} has no values")
        # One value with one name is an error upstream, too.
        if self.keys and (len(words) == 1 or len(words) != len(self.keys)):
            raise ValueError(
                f"sysctl {self.name} has {len(words)} value(s), but the flag names"
                f" {len(self.keys)}"
            )
        if self.is_info:
            return self._infos(words)
        return self._numbers([parse_integer(word) for word in words])

    def _infos(self, words: list[str]) -> Iterator[Metric]:
        if self.keys:
            raise ValueError(f"sysctl {self.name}: info metrics take no names")
        info = GaugeMetricFamily(
            "node_sysctl_info", "sysctl info", labels=("name", "value", "index")
        )
        for index, word in enumerate(words):
            info.add_metric((self.name, word, str(index)), 1)
        yield info

    def _numbers(self, numbers: list[int]) -> Iterator[Metric]:
        text = f"sysctl {self.name}"
        if self.keys:
            for index, (key, number) in enumerate(zip(self.keys, numbers, strict=True)):
                help_ = f"{text}, field {index}"
                yield UntypedMetricFamily(f"{self.metric}_{key}", help_, number)
        elif len(numbers) == 1:
            yield UntypedMetricFamily(self.metric, text, numbers[0])
        else:
            indexed = UntypedMetricFamily(self.metric, text, labels=("index",))
            for index, number in enumerate(numbers):
                indexed.add_metric((str(index),), number)
            yield indexed


def parse_integer(text: str) -> int:
    """Return *text* as an integer in the base that its prefix says. Raises ValueError.

    Without a sign it may have 64 bits, as kernel.shmmax does; upstream fails there.
    """
    has_sign = text.startswith(("-", "+"))
    return integers.signed(text) if has_sign else integers.unsigned(text)


def create(context: Context) -> Collect:
    """Return the collector of the sysctls that the flags name."""
    values, paths = context.values, context.paths
    sysctls = [
        *(Sysctl.parse(text, is_info=False) for text in values[INCLUDE]),
        *(Sysctl.parse(text, is_info=True) for text in values[INCLUDE_INFO]),
    ]

    def collect() -> Iterator[Metric]:
        apart = Apart()
        for sysctl in sysctls:
            families = apart.read(sysctl.read, paths.proc(sysctl.path))
            yield from families or ()
        apart.raise_first()

    return collect


COLLECTOR = CollectorSpec(
    "sysctl", create, default_enabled=False, flags=(INCLUDE, INCLUDE_INFO)
)
