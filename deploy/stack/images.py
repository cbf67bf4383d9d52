"""Which images the stack runs on, and how they come to be here."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import yaml

from deploy.stack import packages
from deploy.stack.settings import DEPLOY, ROOT, Settings, append, parse
from deploy.stack.shell import StackError, output, quiet, say


SUITE = "trixie"
BASE = f"local/debian:{SUITE}"
PYTHON = f"local/python:{SUITE}"
PULL_SECONDS = 900.0
LABEL = "monitoring-exporters.inputs"
DEBIAN = {
    "NGINX_IMAGE": "nginx",
    "WORDPRESS_IMAGE": "wordpress",
    "MYSQL_IMAGE": "mysql",
    "MYSQLD_EXPORTER_IMAGE": "mysqld-exporter",
    "PHPMYADMIN_IMAGE": "phpmyadmin",
    "PROMETHEUS_IMAGE": "prometheus",
    "ALERTMANAGER_IMAGE": "alertmanager",
    "HAPROXY_IMAGE": "haproxy",
}
TARGETS = {
    "NODE_EXPORTER_IMAGE": "node",
    "NGINX_EXPORTER_IMAGE": "nginx",
    "PROMTAIL_IMAGE": "shipper",
}
STORE = "monitoring-exporters/store:local"


@dataclass(frozen=True, slots=True)
class Source:
    """Where images come from: a registry, or Debian's packages."""

    offline: bool
    names: dict[str, str]


def prepare(settings: Settings) -> Source:
    """Make every image present and write the choice to the state folder."""
    wanted = os.environ.get("IMAGES", "auto")
    if wanted not in {"auto", "registry", "debian"}:
        raise StackError(f"IMAGES={wanted}: expected auto, registry or debian")
    offline = wanted == "debian" or (wanted == "auto" and not pulled(settings))
    source = Source(offline, build_debian(settings) if offline else {})
    build_programs(offline=offline)
    write(settings, source)
    return source


def remembered(settings: Settings) -> Source:
    """Return the choice of the last `make up`."""
    if not settings.images_env.exists():
        return Source(offline=False, names={})
    names = parse(settings.images_env.read_text())
    return Source(names.pop("STACK_OFFLINE", "0") == "1", names)


def write(settings: Settings, source: Source) -> None:
    """Keep *source* for the commands that come after."""
    settings.images_env.unlink(missing_ok=True)
    append(
        settings.images_env,
        {"STACK_OFFLINE": "1" if source.offline else "0", **source.names},
    )


def pulled(settings: Settings) -> bool:
    """Whether every upstream image is here or a registry gives it."""
    if remembered(settings).offline:
        return False
    for image in upstream_images(settings):
        if present(image):
            continue
        say(f"pulling {image}")
        code, text = output(
            ["docker", "pull", "-q", image], timeout_seconds=PULL_SECONDS
        )
        if code:
            reason = text.strip().splitlines()[-1] if text.strip() else "no answer"
            say(f"no registry can be reached ({reason})")
            return False
    return True


def upstream_images(settings: Settings) -> list[str]:
    """Return the images of compose.yaml that a registry must give."""
    images = [
        os.environ.get(name) or settings.values.get(name) or default
        for name, default in wanted(settings).items()
        if name not in TARGETS
    ]
    python = re.search(r"ARG PYTHON_IMAGE=(\S+)", (ROOT / "Dockerfile").read_text())
    assert python is not None
    return [*images, python[1]]


def wanted(settings: Settings) -> dict[str, str]:
    """Return the variable and the default of each image that the stack runs."""
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    found = {}
    for service in services.values():
        profiles = service.get("profiles")
        if profiles is None or settings.profiles & set(profiles):
            name, _, default = service["image"].strip("${}").partition(":-")
            found[name] = default
    return found


def present(image: str) -> bool:
    """Whether *image* is in the Engine's store."""
    return output(["docker", "image", "inspect", image])[0] == 0


def build_debian(settings: Settings) -> dict[str, str]:
    """Build the stand-ins from Debian packages; return the names for compose.yaml."""
    say(
        f"images from Debian {SUITE} packages "
        "(MariaDB in MySQL's place, the embedded store in Loki's, no Grafana)"
    )
    base_inputs = DEPLOY / "debian" / "base"
    if not up_to_date(BASE, base_inputs):
        build_base(base_inputs)
    names = {
        variable: f"local/{DEBIAN[variable]}:{SUITE}"
        for variable in wanted(settings)
        if variable in DEBIAN
    }
    for image in [PYTHON, *names.values()]:
        folder = (
            DEPLOY / "debian" / image.removeprefix("local/").removesuffix(f":{SUITE}")
        )
        build(image, folder, folder, build_args={"BASE": BASE})
    return {**names, "LOKI_IMAGE": STORE}


def build_base(inputs: Path) -> None:
    """Make the floor of the Debian images with mmdebstrap."""
    if not shutil.which("mmdebstrap"):
        if not packages.may_install():
            raise StackError(
                "images are built with mmdebstrap, which is not installed: "
                "install it, or name a registry that can be reached"
            )
        packages.install("mmdebstrap", "debian-archive-keyring")
    say(f"building {BASE}")
    quiet([str(inputs / "build"), BASE, SUITE, f"{LABEL}={digest(inputs)}"])


def build_programs(*, offline: bool) -> None:
    """Build our own images, all from the one Dockerfile."""
    arguments = {"PYTHON_IMAGE": PYTHON} if offline else {}
    targets = [*TARGETS.values(), *(["store"] if offline else [])]
    for target in targets:
        image = f"monitoring-exporters/{target}:local"
        build(image, ROOT, *program_inputs(), build_args=arguments, target=target)


def program_inputs() -> list[Path]:
    """Return what .dockerignore lets into the build."""
    names = ("exporters", "shipper", "requirements/runtime.txt", "Dockerfile")
    files = ("LICENSE", "NOTICE", "deploy/launch", "deploy/shipper/image.yaml")
    return [ROOT / name for name in (*names, *files)]


def build(
    image: str,
    context: Path,
    *inputs: Path,
    build_args: dict[str, str],
    target: str | None = None,
) -> None:
    """Build *image* unless it was built from the same *inputs* and arguments."""
    base = next(iter(build_args.values()), "")
    stamp = digest(*inputs, extra=identity(base) if base else "")
    if stamped(image) == stamp:
        return
    say(f"building {image}")
    options = [f"--build-arg={name}={value}" for name, value in build_args.items()]
    options += [f"--target={target}"] if target else []
    quiet(
        [
            "docker", "build", "-q", "-t", image,
            f"--label={LABEL}={stamp}", *options, str(context),
        ]
    )  # fmt: skip


def up_to_date(image: str, *inputs: Path) -> bool:
    """Whether *image* was made from *inputs* as they are now."""
    return stamped(image) == digest(*inputs)


def stamped(image: str) -> str:
    """Return the digest of the inputs that *image* was built from, or nothing."""
    template = f'{{{{index .Config.Labels "{LABEL}"}}}}'
    code, text = output(["docker", "image", "inspect", "-f", template, image])
    return text.strip() if code == 0 else ""


def identity(image: str) -> str:
    """Return the id of *image*, so that a new base makes new images."""
    return output(["docker", "image", "inspect", "-f", "{{.Id}}", image])[1].strip()


def digest(*inputs: Path, extra: str = "") -> str:
    """Return a hash over the content of *inputs*, files and folders."""
    total = hashlib.sha256(extra.encode())
    for path in inputs:
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                total.update(str(file.relative_to(ROOT)).encode() + b"\0")
                total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()
