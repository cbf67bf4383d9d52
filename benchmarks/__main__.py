"""`python -m benchmarks [PART ...]`: ours and the originals, side by side.

`make bench` names the originals, which else are in variables: $NODE_EXPORTER,
$NODE_EXPORTER_SID, $NODE_EXPORTER_MASTER, $NGINX_EXPORTER, $NGINX_EXPORTER_SID,
$PROMTAIL, $NGINX for the nginx to ask, and $LOKI to ship to. Without a part all run;
what cannot is left out, and said. Everything listens on loopback and is ended after.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import devices, nginx, node, programs, shipping, together
from benchmarks.command import end_on_sigterm, new_file, positive
from benchmarks.machine import load, machine
from benchmarks.measure import Plan
from benchmarks.part import Part, Setting
from benchmarks.process import BenchmarkError, LeftOutError
from benchmarks.report import Report, section_text


PARTS: dict[str, Part] = {
    "node": node.sections,
    "devices": devices.sections,
    "nginx": nginx.one,
    "targets": nginx.many,
    "shipper": shipping.log,
    "pipeline": shipping.stages,
    "idle": shipping.idle,
    "together": together.sections,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run what *argv* asks for; exit code 1 if any of it failed, 2 for a wrong flag."""
    arguments = parser().parse_args(argv)
    words = vars(arguments)
    plan = Plan(*(words[name] for name in Plan._fields))
    report = Report()
    try:
        python = programs.interpreter()
        _say(report, *about(python, plan))
        for name in arguments.parts or PARTS:
            run_part(name, report, python, plan, named=bool(arguments.parts))
        _say(report, f"load average after: {load()}")
        print(f"\n{report.text()}", flush=True)
        if arguments.json:
            report.write(arguments.json)
    except OSError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 1 if report.failed else 0


def run_part(
    name: str, report: Report, python: programs.Interpreter, plan: Plan, *, named: bool
) -> None:
    """Run a part, print its sections and add them to *report*.

    One that cannot run here is left out, which is a failure if it was *named*; the
    others go on after one that failed.
    """
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        try:
            for section in PARTS[name](Setting(python, plan, Path(folder))):
                print(f"\n{section_text(section)}", flush=True)
                report.sections.append(section)
        except (BenchmarkError, OSError) as error:
            if isinstance(error, LeftOutError) and not named:
                report.left_out.append(f"{name}: {error}")
            else:
                report.failed.append(f"{name}: {error}")
                print(f"benchmarks: {error}", file=sys.stderr)


def _say(report: Report, *lines: str) -> None:
    report.about.extend(lines)
    print("\n".join(lines), flush=True)


def about(python: programs.Interpreter, plan: Plan) -> list[str]:
    """Return lines about the machine, the interpreter and how much is measured."""
    return [
        machine(),
        f"ours runs on {python.path} ({python.version}): {python.why}",
        f"{plan.scrapes} scrapes of each kind in {len(plan.sizes())} rounds, in turns",
        f"one connection kept open; {plan.starts} starts",
    ]


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    result = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    result.add_argument("parts", nargs="*", metavar="|".join(PARTS), type=known)
    for name, default, text in (
        ("scrapes", Plan().scrapes, "scrapes of each kind (plain, gzip)"),
        ("rounds", Plan().rounds, "rounds to spread them over"),
        ("starts", Plan().starts, "starts of each program"),
        ("lines", Plan().lines, "lines of the log to ship"),
    ):
        result.add_argument(
            f"--{name}", type=positive, default=default, metavar="N", help=text
        )
    result.add_argument(
        "--json", type=new_file, metavar="FILE", help="write what was measured there"
    )
    return result


def known(name: str) -> str:
    """Return *name* if it is a part; raise ArgumentTypeError otherwise."""
    if name not in PARTS:
        expected = ", ".join(PARTS)
        raise argparse.ArgumentTypeError(f"expected one of {expected}, got {name!r}")
    return name


if __name__ == "__main__":
    end_on_sigterm()
    sys.exit(main())
