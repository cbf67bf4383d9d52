"""/proc/cpuinfo of every architecture that upstream reads (procfs cpuinfo.go).

The file has one block of "key : value" lines per CPU, begun by "processor"; the keys,
and what stands outside the blocks, are each architecture's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from exporters.node import procfs


@dataclass(frozen=True, slots=True)
class Cpu:
    """One CPU. Texts are as in the file, "" where it says nothing."""

    processor: int = 0
    package: str = ""
    core: str = ""
    vendor: str = ""
    family: str = ""
    model: str = ""
    model_name: str = ""
    microcode: str = ""
    stepping: str = ""
    cache_size: str = ""
    mhz: float = 0.0
    flags: tuple[str, ...] = ()
    bugs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one architecture writes it.

    *keys* go from the file's key to the attribute of Cpu; *first* is what the first
    line must begin with; *common* are keys outside the blocks, true of every CPU.
    """

    keys: Mapping[str, str]
    first: str = "processor"
    common: Mapping[str, str] = field(default_factory=dict)


X86 = Dialect(
    {
        "vendor": "vendor",
        "vendor_id": "vendor",
        "cpu family": "family",
        "model": "model",
        "model name": "model_name",
        "stepping": "stepping",
        "microcode": "microcode",
        "cpu MHz": "mhz",
        "cache size": "cache_size",
        "physical id": "package",
        "core id": "core",
        "flags": "flags",
        "bugs": "bugs",
    }
)
ARM = Dialect(
    {"model name": "model_name"},
    first="[Pp]rocessor",
    common={"Processor": "model_name", "Features": "flags"},
)
PPC = Dialect({"cpu": "vendor", "clock": "mhz"})
RISCV = Dialect({"hart": "core", "isa": "model_name"})
MIPS = Dialect(
    {"cpu model": "model_name"}, first="system type", common={"system type": "vendor"}
)
LOONGARCH = Dialect(
    {"CPU Family": "family", "Model Name": "model_name"},
    first="system type",
    common={"system type": "vendor"},
)
S390X = Dialect(
    {"cpu MHz dynamic": "mhz", "physical id": "package", "core id": "core"},
    first="vendor_id",
    common={"vendor_id": "vendor", "features": "flags"},
)

# By the beginning of what uname(2) calls the machine.
_DIALECTS: Mapping[str, Dialect] = {
    "aarch64": ARM,
    "arm": ARM,
    "ppc": PPC,
    "riscv": RISCV,
    "mips": MIPS,
    "loongarch": LOONGARCH,
    "s390": S390X,
}
_LISTS = frozenset({"flags", "bugs"})
_S390_PROCESSOR = re.compile(r"processor\s+(\d+)")
_CLOCK = re.compile(r"[\d.]+")  # "3425.000000MHz" on ppc


def dialect(machine: str) -> Dialect:
    """Return how *machine* ("x86_64", "aarch64", ...) writes its cpuinfo."""
    found = (d for name, d in _DIALECTS.items() if machine.startswith(name))
    return next(found, X86)


def parse(data: bytes, written: Dialect) -> list[Cpu]:
    """Return the CPUs in the order of the file. Raises ValueError."""
    lines = [text for text in procfs.text(data).split("\n") if text.strip()]
    first = lines[0] if lines else ""
    if not re.match(written.first, first) or ":" not in first:
        raise ValueError(f"cpuinfo:1: cannot parse line: {first!r}")
    pairs = list(_pairs(lines))
    common = _described(Cpu(), pairs, written.common)
    return [
        _described(replace(common, processor=number), block, written.keys)
        for number, block in _blocks(pairs)
    ]


def _pairs(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        key, separator, value = line.partition(": ")
        if separator:
            yield key.strip(), value


def _blocks(
    pairs: Iterable[tuple[str, str]],
) -> Iterator[tuple[int, list[tuple[str, str]]]]:
    """Yield (number, lines) of each CPU.

    s390x writes "processor 0: ..." for all CPUs first and later a block for each,
    begun by "cpu number"; a one-CPU ARM writes no "processor" but "BogoMIPS".
    """
    blocks: dict[int, list[tuple[str, str]]] = {}
    number: int | None = None
    for key, value in pairs:
        listed = _S390_PROCESSOR.fullmatch(key)
        if listed:
            blocks[int(listed[1])] = []
        elif key in {"processor", "cpu number"}:
            number = procfs.parse_uint(value.encode())
            blocks.setdefault(number, [])
        elif key == "BogoMIPS" and not blocks:
            blocks[number := 0] = []
        if number is not None:
            blocks[number].append((key, value))
    yield from blocks.items()


def _described(
    cpu: Cpu, pairs: Iterable[tuple[str, str]], keys: Mapping[str, str]
) -> Cpu:
    """Return *cpu* with what *pairs* say of it."""
    texts: dict[str, str] = {}
    lists: dict[str, tuple[str, ...]] = {}
    megahertz = cpu.mhz
    for key, value in pairs:
        name = keys.get(key)
        if name in _LISTS:
            lists[name] = tuple(value.split())
        elif name == "mhz":
            megahertz = _megahertz(value)
        elif name is not None:
            texts[name] = value
    return replace(replace(cpu, **texts), **lists, mhz=megahertz)  # type: ignore[arg-type] # the tables hold names of the right kind


def _megahertz(value: str) -> float:
    clock = _CLOCK.search(value)
    if clock is None:
        raise ValueError(f"cpuinfo: expected a clock in MHz, got {value!r}")
    return procfs.parse_number(clock[0].encode())
