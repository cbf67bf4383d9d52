"""`python -m benchmarks [node] [nginx]`: ours and the originals, side by side.

Each is compared with the program in $NODE_EXPORTER or $NGINX_EXPORTER; $NGINX is
the nginx to ask. `make bench` sets all three. Everything listens on loopback and is
ended after.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

from benchmarks import programs
from benchmarks.measure import Plan, compare
from benchmarks.process import BenchmarkError
from benchmarks.programs import Interpreter
from benchmarks.summary import table


def main(argv: Sequence[str] | None = None) -> int:
    """Run what *argv* asks for; a BenchmarkError is one line and exit code 1."""
    arguments = parser().parse_args(argv)
    plan = Plan(arguments.scrapes, arguments.rounds, arguments.starts)
    python = programs.interpreter()
    print(machine())
    print(f"ours runs on {python.path} ({python.version}): {python.why}")
    print(
        f"{plan.scrapes} scrapes of each kind in {len(plan.sizes())} rounds, in turns, "
        f"one connection kept open; {plan.starts} starts"
    )
    try:
        for name in arguments.programs or COMPARISONS:
            with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
                COMPARISONS[name](python, plan, Path(folder))
    except BenchmarkError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(f"\nload average after: {load()}")
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    result = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    result.add_argument("programs", nargs="*", metavar="node|nginx", type=known)
    for name, default, text in (
        ("scrapes", Plan().scrapes, "scrapes of each kind (plain, gzip)"),
        ("rounds", Plan().rounds, "rounds to spread them over"),
        ("starts", Plan().starts, "starts of each program"),
    ):
        result.add_argument(
            f"--{name}", type=positive, default=default, metavar="N", help=text
        )
    return result


def known(name: str) -> str:
    """Return *name* if it can be compared; raise ArgumentTypeError otherwise."""
    if name not in COMPARISONS:
        expected = " or ".join(COMPARISONS)
        raise argparse.ArgumentTypeError(f"expected {expected}, got {name!r}")
    return name


def positive(text: str) -> int:
    """Return *text* as a number above 0; raise ArgumentTypeError otherwise."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text!r}")
    return int(text)


def node(python: Interpreter, plan: Plan, folder: Path) -> None:
    """Compare the node exporters."""
    pair, which = programs.node_pair(python)
    version = programs.version_line(programs.original("NODE_EXPORTER"))
    print(f"\nexporters.node | {version}\n{which}")
    print(table(compare(pair, plan, folder)), flush=True)


def nginx(python: Interpreter, plan: Plan, folder: Path) -> None:
    """Compare the nginx exporters."""
    version = programs.version_line(programs.original("NGINX_EXPORTER"))
    with programs.running_nginx(folder) as port:
        pair = programs.nginx_pair(python, port)
        print(f"\nexporters.nginx | {version}")
        print(table(compare(pair, plan, folder)), flush=True)


COMPARISONS: dict[str, Callable[[Interpreter, Plan, Path], None]] = {
    "node": node,
    "nginx": nginx,
}


def machine() -> str:
    """Return what this runs on, and how busy it is."""
    system = os.uname()
    return (
        f"{os.cpu_count()} x {processor(Path('/proc/cpuinfo').read_text())}, "
        f"{system.sysname} {system.release} {system.machine}; load average: {load()}"
    )


def processor(cpuinfo: str) -> str:
    """Return the name of the first processor of a cpuinfo file."""
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return "unnamed CPU"


def load() -> str:
    """Return the load averages of 1, 5 and 15 minutes."""
    return " ".join(f"{value:.2f}" for value in os.getloadavg())


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    # As for ^C: what was started is ended on the way out.
    signal.signal(signal.SIGTERM, _end)
    sys.exit(main())
