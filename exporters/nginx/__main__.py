"""``python -m exporters.nginx``."""

from exporters.nginx.cli import main


raise SystemExit(main())
