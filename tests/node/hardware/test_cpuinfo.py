from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, strategies as st

from exporters.node.hardware import cpuinfo
from exporters.node.hardware.cpuinfo import Cpu, Dialect
from tests.node.conftest import FIXTURES


ARM7_ONE_CPU = b"""Processor\t: ARMv6-compatible processor rev 7 (v6l)
BogoMIPS\t: 697.95
Features\t: swp half thumb
"""
ARM8 = b"""processor\t: 0
BogoMIPS\t: 108.00
Features\t: fp asimd
model name\t: Cortex
processor\t: 1
BogoMIPS\t: 108.00
Features\t: fp asimd
"""
PPC64 = b"""processor\t: 0
cpu\t\t: POWER8
clock\t\t: 3425.000000MHz

processor\t: 8
cpu\t\t: POWER8
clock\t\t: 3426.500000MHz
"""
RISCV = b"""processor\t: 0
hart\t\t: 2
isa\t\t: rv64imafdcsu
"""
MIPS = b"""system type\t\t: UBNT_E100
processor\t\t: 0
cpu model\t\t: Cavium Octeon+ V0.1
BogoMIPS\t\t: 1000.00

processor\t\t: 1
cpu model\t\t: Cavium Octeon+ V0.1
"""
LOONG = b"""system type\t\t: generic-loongson-machine

processor\t\t: 0
CPU Family\t\t: Loongson-64bit
Model Name\t\t: Loongson-3A5000
"""
S390X = b"""vendor_id       : IBM/S390
# processors    : 2
bogomips per cpu: 3033.00
features\t: esan3 zarch
processor 0: version = 00,  identification = 2733E8,  machine = 2964
processor 1: version = 00,  identification = 2733E8,  machine = 2964

cpu number      : 0
physical id     : 2
core id         : 3
cpu MHz dynamic : 5000

cpu number      : 1
core id         : 4
cpu MHz dynamic : 5001
"""


@pytest.mark.parametrize(
    ("machine", "data", "expected"),
    [
        (
            "armv6l",
            ARM7_ONE_CPU,
            [
                Cpu(
                    model_name="ARMv6-compatible processor rev 7 (v6l)",
                    flags=("swp", "half", "thumb"),
                )
            ],
        ),
        (
            "aarch64",
            ARM8,
            [
                Cpu(0, model_name="Cortex", flags=("fp", "asimd")),
                Cpu(1, flags=("fp", "asimd")),
            ],
        ),
        (
            "ppc64le",
            PPC64,
            [Cpu(0, vendor="POWER8", mhz=3425.0), Cpu(8, vendor="POWER8", mhz=3426.5)],
        ),
        ("riscv64", RISCV, [Cpu(0, core="2", model_name="rv64imafdcsu")]),
        (
            "mips64",
            MIPS,
            [
                Cpu(n, vendor="UBNT_E100", model_name="Cavium Octeon+ V0.1")
                for n in (0, 1)
            ],
        ),
        (
            "loongarch64",
            LOONG,
            [
                Cpu(
                    vendor="generic-loongson-machine",
                    family="Loongson-64bit",
                    model_name="Loongson-3A5000",
                )
            ],
        ),
        (
            "s390x",
            S390X,
            [
                Cpu(
                    0,
                    vendor="IBM/S390",
                    package="2",
                    core="3",
                    mhz=5000.0,
                    flags=("esan3", "zarch"),
                ),
                Cpu(
                    1,
                    vendor="IBM/S390",
                    core="4",
                    mhz=5001.0,
                    flags=("esan3", "zarch"),
                ),
            ],
        ),
    ],
)
def test_every_architecture(machine: str, data: bytes, expected: list[Cpu]) -> None:
    assert cpuinfo.parse(data, cpuinfo.dialect(machine)) == expected


def test_x86() -> None:
    first, second = cpuinfo.parse((FIXTURES / "proc/cpuinfo").read_bytes(), cpuinfo.X86)
    assert first == Cpu(
        processor=0,
        package="0",
        core="0",
        vendor="GenuineIntel",
        family="6",
        model="142",
        model_name="Example(R) CPU @ 1.90GHz",
        microcode="0xb4",
        stepping="10",
        cache_size="8192 KB",
        mhz=799.998,
        flags=("fpu", "aes", "avx", "avx2", "constant_tsc"),
        bugs=("cpu_meltdown", "spectre_v1"),
    )
    assert (second.processor, second.core, second.bugs) == (1, "1", ())


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"flags: x", b"processor\n", b"processor\t: x\n"]
)
def test_what_is_not_cpuinfo_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"cannot parse line|expected"):
        cpuinfo.parse(data, cpuinfo.X86)


dialects = st.sampled_from(
    [cpuinfo.X86, cpuinfo.ARM, cpuinfo.PPC, cpuinfo.MIPS, cpuinfo.S390X]
)
lines = st.sampled_from(
    [
        *(line + b"\n" for text in (PPC64, S390X, MIPS) for line in text.split(b"\n")),
        b"cpu MHz : .\n",
        b"clock : MHz\n",
        b"processor\xff: 9\n",
    ]
)


@given(dialects, st.lists(lines | st.binary(max_size=30)))
def test_rubbish_raises_only_value_error(written: Dialect, parts: list[bytes]) -> None:
    with contextlib.suppress(ValueError):
        cpuinfo.parse(b"".join(parts), written)
