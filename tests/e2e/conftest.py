"""The stack under test is started once, through the same path as `make up`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.stack import Stack, fetch, need_engine


SITE_PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    need_engine()
    stack = Stack.prepare(tmp_path_factory.mktemp("stack"))
    try:
        stack.command("down", "--", "--volumes")  # of a run that was killed
        started = stack.command("up")
        print(started.stdout)
        assert started.returncode == 0, started.stdout
        yield stack
        print(stack.command("logs", "promtail", "loki").stdout)
    finally:
        stack.command("down", "--", "--volumes")


@pytest.fixture(scope="session")
def site(stack: Stack) -> Stack:
    """The stack with WordPress installed: user `admin`, SITE_PASSWORD."""
    status, _, text = fetch(
        stack.url("NGINX_PORT", "/wp-admin/install.php?step=2"),
        {
            "weblog_title": "End to end",
            "user_name": "admin",
            "admin_password": SITE_PASSWORD,
            "admin_password2": SITE_PASSWORD,
            "admin_email": "admin@example.org",
            "blog_public": "0",
        },
    )
    assert status == 200
    assert "wp-login.php" in text
    return stack
