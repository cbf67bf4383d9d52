"""``python -m exporters.node``."""

from exporters.node.cli import main


if __name__ == "__main__":
    raise SystemExit(main())
