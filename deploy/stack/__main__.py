"""`python -m deploy.stack COMMAND`."""

from deploy.stack.cli import main


raise SystemExit(main())
