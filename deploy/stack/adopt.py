"""Hand the volumes of older versions to the users that write there now.

The shipper was root while it had the Docker socket: its volume holds the positions, and
lines that Loki has not taken yet. PHP was started by root.
"""

from __future__ import annotations

from deploy.stack.settings import Settings
from deploy.stack.shell import StackError, output, say
from deploy.stack.volumes import exists, helper


OWNERS = {"promtail_data": "65534:65534", "wordpress_data": "33:33"}
IMAGE = "monitoring-exporters/shipper:local"
SCRIPT = (
    '[ "$(stat -c %u:%g /volume)" = "$0" ] || { chown -R "$0" /volume && echo it; }'
)


def adopt(settings: Settings) -> None:
    """Give each volume that is there and somebody else's to its user."""
    for name, owner in OWNERS.items():
        volume = f"{settings.values['COMPOSE_PROJECT_NAME']}_{name}"
        if not exists(volume):
            continue
        code, text = output(
            [
                *helper("adopt"), "--user=0:0",
                f"--volume={volume}:/volume", "--entrypoint=sh", IMAGE,
                "-c", SCRIPT, owner,
            ],
            timeout_seconds=600,
        )  # fmt: skip
        if code:
            raise StackError(f"cannot give {volume} to {owner}: {text.strip()}")
        if text.strip():
            say(f"{volume} belongs to {owner} now: nobody is root there any more")
