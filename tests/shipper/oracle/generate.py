"""Make pipelines and lines up, for `tests.shipper.oracle.test_fuzz`.

Left out is what differs on purpose: sampling (chance), unfinished lines of ``cri``,
blank lines of ``multiline``, and the order of the keys of an object that JSON is made
from.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any


Stage = dict[str, Any]

KEYS = [
    *("level", "msg", "ts", "a", "b", "app", "time", "status", "dur", "user"),
    *("log", "stream", "x_y"),
]
NAMES = [
    *("level", "msg", "ts", "a", "b", "app", "k", "v", "first", "rest", "method"),
    *("path", "num", "user", "out", "time", "log"),
]

TEXTS = [
    *("info", "error", "warn", "", "x", "GET /a?b=1", "12", "0.5", "1e3", "true"),
    *("null", "ünï", "a b", 'q"uo', "1795600000", "1795600000123", "10.0.0.1"),
    *("2026-11-25T10:00:00Z", "2026-11-25T10:00:00.123456789+02:00", "k=v", "-5"),
    *("Tue, 24 Nov 2026 10:00:00 GMT", "24/Nov/2026:10:00:00 +0100", "10ms", "1KB"),
    *("\x1b[31mred\x1b[0m", '{"level":"deep","n":1}', 'level=inner msg="in ner"'),
    *("ERROR boom", "😀"),
]

PLAIN = [
    *("", " ", "plain text", "ERROR something bad", "[2026-11-24 10:00:00] start"),
    *("  at stack.frame", "INFO a=1 b=2", "\ttabbed", "key: value; other: 2"),
    *("\x1b[1;32mgreen\x1b[0m msg", "ünïcödé 😀", "level=info msg=x", "a,b,c,d"),
    *("100% {{ .x }}", "Message: hi\\nUser: bob", "Name: \tv\r", "x" * 60),
]

PATHS = [
    *("level", "msg", "ts", "a", "b", "a.level", "a.b", "log", '"x_y"', "b[0]"),
    *("b[-1]", "[a,b]", "{p: a, q: b}", "length(b)", "a || b", "to_string(a)"),
    *("join(',', b)", "status == '200'", "nosuch"),
]

EXPRESSIONS = [
    *(r"(?P<level>\w+)", r"level=(?P<level>\S+)", r"^(?P<first>\S*) (?P<rest>.*)$"),
    *(r"(?P<k>\w+)=(?P<v>\w*)", r'"(?P<method>\w+) (?P<path>\S+)', r"(?P<num>\d+)"),
    *(r"(?i)(?P<level>error|info)", r"(?P<a>x)?(?P<b>.*)"),
    r"(?P<level>[A-Z]{4,5})(?:\s+(?P<msg>.*))?",
]

TEMPLATES = [
    *("{{ .Value }}", "{{ ToUpper .Value }}", "{{ .Entry }}", "const", ""),
    *("{{ .level }}-{{ .app }}", "{{ if .level }}L{{ else }}N{{ end }}"),
    *("{{ .Value | ToLower | trunc 3 }}", '{{ Replace .Value "a" "b" -1 }}'),
    *("{{ .nosuch }}", '{{ default "d" .level }}', "{{ .Value | trim | len }}"),
    *('{{ printf "%s|%v" .Value .a }}', '{{ Sha2Hash .Value "salt" }}'),
    *('{{ regexReplaceAllLiteral "[0-9]" .Value "#" }}', "{{ .Value | b64enc }}"),
    '{{ range $i, $e := splitList "," .Value }}{{$i}}:{{$e}};{{end}}',
    *("{{ .Value | substr 1 4 }}", '{{ if eq .level "info" }}yes{{ end }}'),
    *("{{ fromJson .Value }}", '{{ index (splitList "=" .Value) 0 }}'),
    *("{{ .Value | int }}", "{{ add 1 2 }}", '{{ dict "a" .Value | toJson }}'),
    *('{{ hasPrefix "a" .Value }}', '{{ .Value | trimSuffix "x" | squote }}'),
    *('{{ coalesce .a .b "c" }}', '{{ ternary "t" "f" (contains "a" .Value) }}'),
    *("{{ with .level }}[{{ . }}]{{ end }}", '{{ or .level "o" }}'),
    *("{{ atoi .Value }}", "{{ .Value | nospace | repeat 2 }}", "{{ .Value | js }}"),
    *("{{ .Value | html }}", "{{ .Value | urlquery }}", "{{ .Value | title }}"),
]

REPLACED = [
    *(r"(\w+)", r"(info)", r"\d+", r"(\d+)\.(\d+)", r"(?P<l>level)=(\S+)"),
    *(r"(a)|(b)", r"^(.*)$", r"(\S+) (\S+)", r"()", r"[aeiou]"),
]
REPLACEMENTS = [
    *("X", "", "<{{ .Value }}>", "{{ .Value | ToUpper }}", "{{ .level }}", "$1"),
    '{{ if eq .Value "info" }}I{{ else }}{{ .Value }}{{ end }}',
]

LAYOUTS = [
    *("RFC3339", "RFC3339Nano", "Unix", "UnixMs", "UnixUs", "UnixNs", "RFC1123"),
    *("RFC822", "02/Jan/2006:15:04:05 -0700", "2006-01-02T15:04:05Z07:00"),
]

SELECTORS = [
    *('{job=~".+"}', '{level="info"}', '{level!="info"}', '{job="t"} |= "a"'),
    *('{job="t"} != "a"', '{job="t"} |~ "\\\\d+"', '{job=~".*"} !~ "(?i)error"'),
    *('{app=~"x|info"}', '{nosuch=""}', '{level=~"i.*"} |= "l" != "zz"'),
]


def _value(random: Random) -> Any:
    kind = random.random()
    if kind < 0.7:
        return random.choice(TEXTS)
    if kind < 0.8:
        return random.choice([1, 0, -3, 1.5, 1e21, 12345678901, True, False, None])
    if kind < 0.9:
        return {random.choice(KEYS): random.choice(TEXTS)}
    return random.choices(TEXTS, k=random.randint(0, 3))


def _json(random: Random) -> str:
    data = {random.choice(KEYS): _value(random) for _ in range(random.randint(0, 5))}
    text = json.dumps(data, ensure_ascii=random.random() < 0.5)
    return random.choice([*[text] * 9, text[:-1], f"{text} tail", f"  {text}"])


def _logfmt(random: Random) -> str:
    words = []
    for _ in range(random.randint(0, 5)):
        key, text = random.choice(KEYS), random.choice(TEXTS)
        quoted = json.dumps(text, ensure_ascii=False)
        bare = f"{key}={text}" if " " not in text and '"' not in text else key
        words.append(random.choice([bare, f"{key}={quoted}", f"{key}="]))
    return " ".join(words)


def _access(random: Random) -> str:
    request = random.choice(["GET /a HTTP/1.1", "POST /b?x=1 HTTP/2.0", "-"])
    when = f"24/Nov/2026:10:0{random.randint(0, 9)}:00 +0000"
    status, size = random.choice([200, 404, 500]), random.randint(0, 9999)
    return f'10.0.0.1 - bob [{when}] "{request}" {status} {size} "-" "curl/7.1"'


def _plain(random: Random) -> str:
    return random.choice(PLAIN)


def _inner(random: Random) -> str:
    return random.choice([_json, _logfmt, _plain])(random)


def _cri(random: Random) -> str:
    stamp = f"2026-11-24T10:00:00.{random.randint(0, 999999999):09d}Z"
    return f"{stamp} {random.choice(['stdout', 'stderr'])} F {_inner(random)}"


def _docker(random: Random) -> str:
    return json.dumps(
        {
            "log": _inner(random) + random.choice(["\n", ""]),
            "stream": random.choice(["stdout", "stderr"]),
            "time": f"2026-11-24T10:00:00.{random.randint(0, 999999999)}Z",
        }
    )


def lines(random: Random) -> list[str]:
    """Return some lines, of one kind or of all."""
    every = [_json, _logfmt, _access, _cri, _docker, _plain]
    kinds = random.choice([*([kind] for kind in every), [_json, _plain], every])
    return [random.choice(kinds)(random) for _ in range(random.randint(4, 14))]


def pipeline(random: Random) -> list[Stage]:
    """Return two to six stages that promtail takes."""
    return [_stage(random) for _ in range(random.randint(2, 6))]


def _stage(random: Random) -> Stage:
    name = random.choice(_NAMES)
    return {name: _STAGES[name](random)}


def _maybe(random: Random, chance: float, **field: Any) -> Stage:
    return field if random.random() < chance else {}


def _mapping(random: Random, values: list[str], chance: float) -> Stage:
    mapping: Stage = {}
    for _ in range(random.randint(1, 4)):
        given = random.random() < chance
        mapping[_name(random)] = random.choice(values) if given else None
    return mapping


def _name(random: Random) -> str:
    return random.choice(NAMES)


def _timestamp(random: Random) -> Stage:
    zones = ["Europe/Berlin", "America/New_York", "UTC"]
    failure = random.choice(["skip", "fudge"])
    return {
        "source": _name(random),
        "format": random.choice(LAYOUTS),
        **_maybe(random, 0.3, fallback_formats=random.sample(LAYOUTS, 2)),
        **_maybe(random, 0.2, location=random.choice(zones)),
        **_maybe(random, 0.4, action_on_failure=failure),
    }


def _match(random: Random) -> Stage:
    selector = {"selector": random.choice(SELECTORS)}
    if random.random() < 0.3:
        return {**selector, "action": "drop"}
    stages = [_stage(random) for _ in range(random.randint(1, 3))]
    return {**selector, "stages": stages}


def _drop(random: Random) -> Stage:
    several = {"source": random.sample(NAMES, 2), "separator": random.choice([",", ""])}
    expression = {"expression": random.choice(["a", "^E", r"\d{3}", "info", "^$"])}
    return random.choice(
        [
            expression,
            {**expression, "source": _name(random)},
            {**expression, **several},
            {"longer_than": random.choice(["50b", "20B", "1kb"])},
            {"source": _name(random)},
            {"source": _name(random), "value": random.choice(["info", "x", "12"])},
            several,
        ]
    )


_STAGES: dict[str, Callable[[Random], Any]] = {
    "json": lambda random: {
        "expressions": _mapping(random, PATHS, 0.6),
        **_maybe(random, 0.2, source=_name(random)),
        **_maybe(random, 0.15, drop_malformed=True),
    },
    "logfmt": lambda random: {
        "mapping": _mapping(random, KEYS, 0.5),
        **_maybe(random, 0.2, source=_name(random)),
    },
    "regex": lambda random: {
        "expression": random.choice(EXPRESSIONS),
        **_maybe(random, 0.2, source=_name(random)),
    },
    "template": lambda random: {
        "source": _name(random),
        "template": random.choice(TEMPLATES),
    },
    "labels": lambda random: _mapping(random, NAMES, 0.4),
    "static_labels": lambda random: {_name(random): random.choice(["s1", "s2"])},
    "structured_metadata": lambda random: _mapping(random, NAMES, 0.4),
    "labeldrop": lambda random: random.sample(NAMES, random.randint(1, 3)),
    "labelallow": lambda random: ["case", *random.sample(NAMES, random.randint(1, 5))],
    "timestamp": _timestamp,
    "output": lambda random: {"source": _name(random)},
    "replace": lambda random: {
        "expression": random.choice(REPLACED),
        "replace": random.choice(REPLACEMENTS),
        **_maybe(random, 0.3, source=_name(random)),
    },
    "match": _match,
    "drop": _drop,
    "tenant": lambda random: {
        random.choice(["source", "value", "label"]): _name(random)
    },
    "pack": lambda random: {
        "labels": random.sample(NAMES, random.randint(1, 3)),
        "ingest_timestamp": random.random() < 0.4,
    },
    "decolorize": lambda _: {},
    "cri": lambda _: {},
    "docker": lambda _: {},
    "eventlogmessage": lambda random: {
        **_maybe(random, 0.6, source=_name(random)),
        **_maybe(random, 0.5, overwrite_existing=True),
        **_maybe(random, 0.3, drop_invalid_labels=True),
    },
}

_OFTEN = "json json logfmt regex regex template template template labels labels labels"
_NAMES = [*_STAGES, *_OFTEN.split()]
