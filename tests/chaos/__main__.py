"""`python -m tests.chaos`: break everything, then count lines.

Prints one table row for each scenario; exits with 1 when a target is missed. `LOKI=`
names a real Loki to use in place of the embedded store.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
import sys
import time
from collections.abc import Sequence

from .scenario import Scenario, play
from .table import SCENARIOS
from .verdict import Row, markdown, plain


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    result = argparse.ArgumentParser(prog="tests.chaos", description=__doc__)
    result.add_argument("--seed", type=int, help="repeats a run")
    result.add_argument("--long", action="store_true", help="the form for the docs")
    result.add_argument("--only", default="", help="names, separated by commas")
    result.add_argument("--markdown", action="store_true", help="print it for the docs")
    result.add_argument("--list", action="store_true", help="print the names")
    return result


def chosen(only: str, *, long: bool) -> list[Scenario]:
    """Return the scenarios named in *only*, or all of this form."""
    names = [name.strip() for name in only.split(",") if name.strip()]
    known = {scenario.name: scenario for scenario in SCENARIOS}
    if unknown := [name for name in names if name not in known]:
        sys.exit(f"chaos: no scenario {unknown}; there are {', '.join(known)}")
    if names:
        return [known[name] for name in names]
    return [s for s in SCENARIOS if long or not s.long_only]


async def run(scenarios: Sequence[Scenario], seed: int, *, long: bool) -> list[Row]:
    """Play one after the other, and say how each went."""
    rows = []
    for scenario in scenarios:
        print(f"chaos: {scenario.name} …", file=sys.stderr, flush=True)
        row = await play(scenario, seed, long=long)
        report = [
            plain([row]),
            *row.tally.examples[:6],
            *([row.log] if row.log else []),
        ]
        print("\n".join(report), file=sys.stderr, flush=True)
        rows.append(row)
    return rows


def main(argv: Sequence[str] | None = None) -> int:
    """Run what *argv* asks for; 1 when a target is missed."""
    arguments = parser().parse_args(argv)
    if arguments.list:
        print("\n".join(scenario.name for scenario in SCENARIOS))
        return 0
    seed = random.randrange(10**6) if arguments.seed is None else arguments.seed
    begun = time.monotonic()
    scenarios = chosen(arguments.only, long=arguments.long)
    try:
        rows = asyncio.run(run(scenarios, seed, long=arguments.long))
    except KeyboardInterrupt:
        return 130
    minutes = (time.monotonic() - begun) / 60
    print((markdown if arguments.markdown else plain)(rows))
    form = "long" if arguments.long else "short"
    print(f"\nSeed {seed}, {form} form, {minutes:.0f} minutes.")
    return 1 if any(row.failures for row in rows) else 0


if __name__ == "__main__":
    # As for ^C: what was started is ended on the way out.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
