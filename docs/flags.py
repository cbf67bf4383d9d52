"""Write docs/flags.md: what each program's own ``--help`` says.

`.venv/bin/python -m docs.flags`; a test fails when the page is not what this prints.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


PAGE = Path(__file__).with_name("flags.md")
PROGRAMS = {
    "exporters.nginx": "--help",
    "shipper": "-help",
    "shipper logs": "--help",
    "shipper.store": "--help",
}
HEAD = """\
# Flags

What `--help` prints; `python -m docs.flags` writes this page. The node exporter's flags
stand with its collectors in [metrics-node.md](metrics-node.md).
"""


def page() -> str:
    """Return the page as the programs tell it now."""
    parts = [HEAD]
    for module, flag in PROGRAMS.items():
        done = subprocess.run(
            [sys.executable, "-m", *module.split(), flag],
            cwd=PAGE.parents[1],
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, "COLUMNS": "80"},
        )
        text = "\n".join(
            line.rstrip() for line in done.stdout.expandtabs(4).split("\n")
        )
        parts.append(f"## python -m {module}\n\n```\n{text.strip()}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page())
