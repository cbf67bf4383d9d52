"""What each collector says of a host in a file.

The host is ``<collector>.tree`` here, what is said of it ``<collector>.prom``;
``<collector>.<case>.tree`` is another case. After a change that is meant,
``python -m tests.node.golden [name ...]`` writes the ``.prom`` files anew: read the
difference before it is committed.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from exporters.node.paths import Paths
from exporters.node.registry import CollectorSpec, Context, NoData, discover
from exporters.toolkit.exposition import encode
from exporters.toolkit.flags import Program
from exporters.toolkit.metric import Metric
from tests.node import tree


FOLDER = Path(__file__).parent
_FOLDERS = ("proc", "sys", "root", "udev")


def trees() -> list[Path]:
    """Return the trees, one for each case."""
    return sorted(FOLDER.glob("*.tree"))


def planted(text: str, root: Path) -> Paths:
    """Plant the tree *text* below *root* and say where it is."""
    for name in _FOLDERS:
        (root / name).mkdir()
    tree.plant(text, root)
    proc, sys_, rootfs, udev = (str(root / name) for name in _FOLDERS)
    return Paths(proc, sys_, rootfs, udev)


def spec_of(path: Path) -> CollectorSpec:
    """Return the collector that the tree at *path* is for."""
    name = path.name.partition(".")[0]
    return next(spec for spec in discover() if spec.name == name)


def exposition(path: Path, root: Path) -> str:
    """Return what the collector of the tree at *path* says, with *root* as its host.

    The folder's name is shown as ``$ROOT``. No data or a failure is a comment.
    """
    text = path.read_text("utf-8")
    spec = spec_of(path)
    program = Program("node_exporter", "", (spec.switch, *spec.flags))
    given = [flag.replace("$ROOT", str(root)) for flag in tree.flags(text)]
    where = planted(text, root)
    collect = spec.create(Context(where, program.parse(given, {})))
    problems: list[str] = []
    families: list[Metric] = []
    try:
        families.extend(collect())
    except NoData as reason:
        problems.append(f"no data: {reason}")
    except (OSError, ValueError) as error:
        problems.append(f"failed: {error}")
    shown = encode(families, problems.append).decode()
    shown += "".join(f"# {problem}\n" for problem in problems)
    return shown.replace(str(root), "$ROOT")


def main(names: list[str]) -> None:
    """Write the golden files of *names*, of all where there are none."""
    for path in trees():
        if not names or path.name.partition(".")[0] in names:
            with tempfile.TemporaryDirectory() as root:
                path.with_suffix(".prom").write_text(exposition(path, Path(root)))
            print(path.with_suffix(".prom"))
