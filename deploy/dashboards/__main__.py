"""`python -m deploy.dashboards` writes deploy/grafana/dashboards anew."""

from __future__ import annotations

from deploy.dashboards.catalogue import FOLDER, rendered


def main() -> None:
    """Write one file for each dashboard, and remove what none writes any more."""
    texts = rendered()
    for path in FOLDER.glob("*.json"):
        if path.name not in texts:
            path.unlink()
    for name, text in texts.items():
        (FOLDER / name).write_text(text)


if __name__ == "__main__":
    main()
