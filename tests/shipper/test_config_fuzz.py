"""No text in the place of a configuration hangs the program, ends it in a traceback, or
shows a secret: ``-check-syntax`` says 0, or 1 and where what is wrong stands.

Valid configurations are taken apart and put together again wrongly; scalars become
nasty ones; the text of one is damaged; and there is text that never was one.
"""

from __future__ import annotations

import contextlib
import io
import re
import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings, strategies as st

from shipper.cli import main


SECRET = "s3cr3t-Tr0ub4dor"
# Many sections, each with much in it; every secret there is.
EVERYTHING = f"""
server:
  http_listen_port: 9080
  grpc_listen_port: 0
  log_level: warn
  http_path_prefix: /promtail
  graceful_shutdown_timeout: 5s
positions: {{filename: /tmp/p.yaml, sync_period: 10s, ignore_invalid_yaml: true}}
global: {{file_watch_config: {{min_poll_frequency: 250ms, max_poll_frequency: 1s}}}}
target_config: {{sync_period: 10s, stdin: false}}
limits_config: {{readline_rate: 100, readline_burst: 200, max_line_size: 256kb}}
clients:
- url: http://user:{SECRET}@127.0.0.1:3100/loki/api/v1/push
  tenant_id: t
  external_labels: {{cluster: c}}
  headers: {{X-Secret: {SECRET}}}
  backoff_config: {{min_period: 1s, max_period: 5m, max_retries: 10}}
  tls_config: {{server_name: loki, insecure_skip_verify: true, min_version: TLS12}}
- url: http://127.0.0.1:3101/loki/api/v1/push
  basic_auth: {{username: u, password: {SECRET}}}
- url: http://127.0.0.1:3102/loki/api/v1/push
  bearer_token: {SECRET}
- url: http://127.0.0.1:3103/loki/api/v1/push
  authorization: {{type: Token, credentials: {SECRET}}}
- url: http://127.0.0.1:3104/loki/api/v1/push
  proxy_url: http://proxy:{SECRET}@127.0.0.1:3128
  oauth2:
    client_id: i
    client_secret: {SECRET}
    token_url: http://127.0.0.1:8080/token
    scopes: [a, b]
    endpoint_params: {{p: q}}
scrape_configs:
- job_name: containers
  docker_sd_configs:
  - host: unix:///var/run/docker.sock
    refresh_interval: 5s
    filters: [{{name: label, values: [a=b]}}]
  - host: https://127.0.0.1:2376
    basic_auth: {{username: u, password: {SECRET}}}
  relabel_configs: &rules
  - {{source_labels: [a, b], separator: ;, regex: '(.*);(.*)', target_label: c}}
  - {{action: labelmap, regex: 'x_(.+)', replacement: 'y_$1'}}
  - {{action: hashmod, source_labels: [c], modulus: 7, target_label: shard}}
  - {{action: drop, source_labels: [c], regex: 'no|never'}}
  pipeline_stages:
  - docker: {{}}
  - cri:
  - match:
      selector: '{{job="t"}} |= "x" !~ "y+"'
      stages:
      - json: {{expressions: {{level: a.b, message: }}}}
      - timestamp: {{source: t, format: RFC3339, location: Europe/Berlin}}
  - drop: {{source: [a, b], expression: '^$', older_than: 24h, longer_than: 8kb}}
  - multiline: {{firstline: '^\\S', max_wait_time: 3s, max_lines: 128}}
  - metrics:
      lines: {{type: Counter, description: d, config: {{match_all: true, action: inc}}}}
      took: {{type: Histogram, source: t, config: {{buckets: [0.1, 1, 10]}}}}
- job_name: files
  static_configs:
  - {{targets: [localhost], labels: {{job: t, __path__: '/var/log/**/*.log'}}}}
  file_sd_configs: [{{files: ['/etc/sd/*.yaml'], refresh_interval: 1m}}]
  encoding: utf-16le
  decompression: {{enabled: true, format: gz, initial_delay: 5s}}
  relabel_configs: *rules
  pipeline_stages:
  - regex: {{expression: '^(?P<level>\\w+) (?P<rest>.*)$', source: s}}
  - logfmt: {{mapping: {{a: b, c: }}}}
  - replace: {{expression: '(\\d+)', replace: '{{{{ .Value | ToUpper }}}}', source: s}}
  - template: {{source: new, template: '{{{{ if .x }}}}{{{{ .x }}}}{{{{ end }}}}'}}
  - labels: {{level: , other: rest}}
  - structured_metadata: {{trace: }}
  - static_labels: {{fixed: v}}
  - labeldrop: [a]
  - labelallow: [level, job]
  - tenant: {{source: t}}
  - pack: {{labels: [level], ingest_timestamp: false}}
  - limit: {{rate: 10, burst: 20, drop: true}}
  - sampling: {{rate: 0.5}}
  - decolorize:
  - output: {{source: rest}}
- job_name: rest
  journal: {{max_age: 12h, json: false, labels: {{job: j}}, matches: _TRANSPORT=kernel}}
  syslog:
    listen_address: 127.0.0.1:1514
    idle_timeout: 60s
    label_structured_data: true
    labels: {{job: s}}
  loki_push_api:
    server: {{http_listen_port: 3500, grpc_listen_port: 3600}}
    labels: {{job: p}}
"""
SMALL = """
clients: [{url: 'http://127.0.0.1:3100/loki/api/v1/push'}]
scrape_configs:
- job_name: a
  static_configs: [{labels: {__path__: /nope}}]
"""
ALIASES = "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9) if n else 'x'}]\n" for n in range(9)
)
NASTY = (
    "",
    "~",
    "null",
    "-1",
    "0",
    "1e400",
    ".nan",
    ".inf",
    "-.inf",
    "9" * 30,
    "0x" + "f" * 40,
    "0o777",
    "1:30:00",
    "2024-13-45",
    "!!binary aGk=",
    "!!python/object:os.system x",
    "!secret x",
    "!!int x",
    "!!set {a}",
    "yes",
    "n",
    "{}",
    "[]",
    "[[[[]]]]",
    "{a: {b: {c: []}}}",
    "{? [a]: b}",
    "&x [*x]",
    "*nope",
    "<<: {a: b}",
    "{<<: [1, 2]}",
    "'${UNSET:?no}'",
    "'${'",
    "'('",
    "'(?P<a>'",
    "'(?=x)'",
    "'a{1,99999}'",
    "'((((((((a*)*)*)*)*)*)*)*)*'",
    "'[[:nope:]]'",
    "'\\\\C'",
    "'{{'",
    "'{{ .x | nope }}'",
    "'{{ range }}'",
    "'{{ template \"x\" }}'",
    "'{a=}'",
    "'{a=~\"(\"}'",
    "'{a=\"b\"} | json'",
    "'a[?b==`'",
    "'a[*].b | [0'",
    "'http://[::1'",
    "'http://:99999/'",
    "'://'",
    "'unix://'",
    "'ftp://x'",
    "99999999999999h",
    "-5s",
    "1d",
    "999999999999gb",
    "'**/**[a-'",
    "'\\0'",
    '"\\0"',
    '"\\uD800"',
    '"\\x85\\u2028"',
    '"a\\nb\\e[31m"',
    "\ufeff",
    "'Mars/Base'",
    "'../../../../etc/passwd'",
    "'%Y-%m-%d'",
    "/dev/null",
    "/",
    "|\n    text",
    ">-\n    folded",
    "? x",
    "'" + "x" * 5000 + "'",
)


def _check(text: str, *, hidden: bool = True) -> tuple[int, str]:
    """Return the exit code of -check-syntax over *text*, and all that it printed.

    *hidden*: the secret stands where secrets stand, so that nothing may show it.
    """
    out, err = io.StringIO(), io.StringIO()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "promtail.yaml"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(["-check-syntax", f"-config.file={path}"], {})
        _judge(code, err.getvalue(), str(path))
        # What came to stand where a key or a name stands is no secret any more.
        assert not hidden or SECRET not in _AS_A_KEY.sub("", err.getvalue())
    return code, out.getvalue() + err.getvalue()


_AS_A_KEY = re.compile(
    r"field \S* not found in|unknown pipeline stage: \S*|unknown time zone \S*"
)


def _judge(code: int, told: str, path: str) -> None:
    assert code in {0, 1}
    assert "Traceback" not in told
    lines = told.split("\n")
    assert lines.pop() == ""
    assert code == 0 or lines
    for line in lines:
        assert line.isprintable(), line
        if code == 0:
            assert line.startswith("warning: "), line
        else:
            assert re.match(rf"{re.escape(path)}(:\d+:\d+)?: \S", line), line


# -- what is done to a valid one


def _nodes(node: yaml.Node) -> Iterator[yaml.Node]:
    """Yield the nodes below *node*, keys too; each once."""
    stack, seen = [node], set[int]()
    while stack:
        found = stack.pop()
        if id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        if isinstance(found, yaml.MappingNode):
            stack += [part for pair in found.value for part in pair]
        elif isinstance(found, yaml.SequenceNode):
            stack += found.value


def _collections(root: yaml.Node) -> list[Any]:
    kinds = (yaml.MappingNode, yaml.SequenceNode)
    return [node for node in _nodes(root) if isinstance(node, kinds) and node.value]


def _delete(draw: st.DrawFn, root: yaml.Node) -> None:
    node = draw(st.sampled_from(_collections(root)))
    del node.value[draw(st.integers(0, len(node.value) - 1))]


def _duplicate(draw: st.DrawFn, root: yaml.Node) -> None:
    node = draw(st.sampled_from(_collections(root)))
    node.value.append(draw(st.sampled_from(node.value)))


def _swap(draw: st.DrawFn, root: yaml.Node) -> None:
    """Let two nodes change their places, of whatever kind they are."""
    places = [
        (node.value, index)
        for node in _collections(root)
        for index in range(len(node.value))
    ]
    (a, i), (b, j) = draw(st.tuples(*[st.sampled_from(places)] * 2))
    if isinstance(a[i], tuple) is isinstance(b[j], tuple):
        a[i], b[j] = b[j], a[i]


def _value(draw: st.DrawFn, root: yaml.Node) -> None:
    """Put another node of the document in the place of a value or a key."""
    node = draw(st.sampled_from(_collections(root)))
    other = draw(st.sampled_from(list(_nodes(root))))
    index = draw(st.integers(0, len(node.value) - 1))
    if isinstance(node, yaml.SequenceNode):
        node.value[index] = other
        return
    key, value = node.value[index]
    node.value[index] = (key, other) if draw(st.booleans()) else (other, value)


MUTATIONS: tuple[Callable[[st.DrawFn, yaml.Node], None], ...] = (
    _delete,
    _duplicate,
    _swap,
    _value,
)


@st.composite
def rebuilt(draw: st.DrawFn) -> str:
    """A valid document with nodes deleted, doubled, and in wrong places."""
    root = yaml.compose(draw(st.sampled_from([EVERYTHING, SMALL])))
    assert root is not None
    for mutate in draw(st.lists(st.sampled_from(MUTATIONS), min_size=1, max_size=5)):
        if _collections(root):
            mutate(draw, root)
    try:
        return str(yaml.serialize(root))
    except RecursionError:  # a node that came to stand within itself
        return SMALL


_SCALAR = re.compile(r"(?<=[:\-\[,{] )[^\s,\]{}\[&*|][^,\]{}\n]*")


@st.composite
def with_nasty_scalars(draw: st.DrawFn) -> str:
    """A valid document whose scalars are others, as text."""
    text = draw(st.sampled_from([EVERYTHING, SMALL]))
    nasty = st.one_of(st.sampled_from(NASTY), st.text(max_size=20))
    for _ in range(draw(st.integers(1, 4))):
        places = list(_SCALAR.finditer(text))
        if not places:
            break
        place = draw(st.sampled_from(places))
        text = text[: place.start()] + draw(nasty) + text[place.end() :]
    return text


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A valid document with characters taken out, put in, or cut off."""
    text = draw(st.sampled_from([EVERYTHING, SMALL]))
    for _ in range(draw(st.integers(1, 5))):
        start = draw(st.integers(0, len(text)))
        end = start + draw(st.integers(0, 30))
        text = text[:start] + draw(st.text(max_size=6)) + text[end:]
    return text


_YAMLISH = st.text(alphabet="abk:- \n\t[]{},'\"!&*|>?#%@`~<=0.$\\", max_size=120)
FUZZ = settings(
    max_examples=250,
    deadline=timedelta(seconds=5),
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def test_the_valid_ones_are() -> None:
    for text in (EVERYTHING, SMALL):
        code, told = _check(text)
        assert code == 0, told


@FUZZ
@given(rebuilt())
def test_nodes_in_wrong_places(text: str) -> None:
    # What was to be a duration is told, whatever it is: a secret may be any node.
    _check(text, hidden=False)


@FUZZ
@given(with_nasty_scalars())
def test_nasty_scalars(text: str) -> None:
    _check(text)


@FUZZ
@given(damaged())
def test_damage(text: str) -> None:
    _check(text)


@FUZZ
@given(st.one_of(st.text(max_size=200), _YAMLISH))
def test_text_that_never_was_one(text: str) -> None:
    _check(text)


@pytest.mark.parametrize("value", NASTY)
def test_each_nasty_scalar_everywhere(value: str) -> None:
    """In every place of the small one, and of what it may hold."""
    for place in _SCALAR.finditer(SMALL):
        _check(SMALL[: place.start()] + value + SMALL[place.end() :])


@pytest.mark.parametrize(
    "text",
    [
        ALIASES,
        ALIASES + SMALL.replace("static_configs: [", "static_configs: [*a8, "),
        "[" * 10_000,
        "{a: " * 10_000,
        "- " * 10_000,
        "a: &x\n  b: *x",
        "x: " + "y" * 1_000_000,
        "\0",
        "\udcff",
        "--- a\n--- b\n",
        "%YAML 9.9\n---\na: b",
        "a: b: c: d",
        "\t",
        SMALL + "\n...\n" + SMALL,
    ],
    ids=lambda text: repr(text[:12]),
)
def test_what_brings_other_readers_down(text: str) -> None:
    code, _ = _check(text)
    assert code == 1


@pytest.mark.parametrize("value", ["x", "{docker: {}}", "1", "'[]'"])
def test_stages_that_are_no_list(value: str) -> None:
    code, told = _check(SMALL.rstrip() + f"\n  pipeline_stages: {value}\n")
    assert code == 1
    assert ":6:20: cannot unmarshal" in told
