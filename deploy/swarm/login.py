"""Make the login that guards Prometheus and the exporters of the swarm.

`python -m deploy.swarm.login [FOLDER]` writes `web_password` and `web.yml`, which has
its hash, unless they are there. FOLDER is `SECRETS_DIR`, or deploy/.secrets.
"""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

import bcrypt

from deploy.stack.passwords import write
from deploy.stack.settings import DEPLOY


USER = "prometheus"
ROUNDS = 10  # what an exporter spends on a password that it sees for the first time


def make(folder: Path) -> list[Path]:
    """Write the login into *folder*; return what was written. Raises ValueError."""
    password, web = folder / "web_password", folder / "web.yml"
    match password.exists(), web.exists():
        case True, True:
            return []
        case False, False:
            pass
        case has_password, _:
            there, missing = (password, web) if has_password else (web, password)
            raise ValueError(
                f"{there} is there and {missing.name} is not: "
                "put it there, or remove the one to have both made anew"
            )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    secret = secrets.token_urlsafe(24)
    hashed = bcrypt.hashpw(secret.encode(), bcrypt.gensalt(ROUNDS)).decode()
    write(password, secret)
    write(web, f"basic_auth_users:\n  {USER}: {hashed}\n")
    return [password, web]


def main(arguments: list[str]) -> int:
    """Make the login in the folder named; return the exit code."""
    if len(arguments) > 1 or any(word.startswith("-") for word in arguments):
        print("usage: python -m deploy.swarm.login [FOLDER]", file=sys.stderr)
        return 2
    folder = [*arguments, os.environ.get("SECRETS_DIR", ""), str(DEPLOY / ".secrets")]
    try:
        written = make(Path(next(filter(None, folder))))
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    for path in written:
        print(f"written: {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
