"""What is said of keys and actions that the code does not tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, get_args

from docs.keys import NO_EFFECT
from shipper.files.unpack import Format


NOTES: Final[Mapping[str, str]] = {
    "BackoffConfig.max_retries": "done; not set is for ever, as `0` is",
    "ClientConfig.push_encoding": "ours, promtail has `protobuf` only",
    "Config.client": "done; deprecated, it goes into `clients`",
    "DecompressionConfig.format": f"done: {', '.join(get_args(Format))}",
    "DockerSDConfig.match_first_network": f"{NO_EFFECT}: of several networks and ports "
    "the first in sorted order gives the labels",
    "PositionsConfig.ignore_invalid_yaml": f"{NO_EFFECT}: no file of positions stops "
    "the start",
    "ScrapeConfig.encoding": "done: a name of IANA",
    "ServerTls.client_auth_type": "done; `RequireAnyClientCert` and "
    "`VerifyClientCertIfGiven` are refused: use `RequireAndVerifyClientCert`",
    "StaticConfig.targets": "done: the label `__address__`, nothing is asked there",
    "SyslogConfig.idle_timeout": "done; `0s` is `2m`",
    "SyslogConfig.max_message_length": "done; `0` is 8192 bytes",
    "cri.max_partial_lines": "done; `0` is 100",
    "match.pipeline_name": f"{NO_EFFECT}, as in promtail",
}
"""What the types cannot tell, by class or stage and key."""

ABOUT: Final[Mapping[str, str]] = {
    "ClientConfig": "One Loki to push to.",
    "DecompressionConfig": "Says that all files of the job are compressed.",
    "DockerSDConfig": "One Docker daemon. Of the HTTP client's keys `follow_redirects` "
    "has no effect; `oauth2`, `proxy_url` and "
    "`proxy_from_environment` are refused for `http://` and `https://` and have none "
    "for the others. Files with passwords are read at the start.",
    "FileSDConfig": "Files with groups of targets; they are looked at every 2 s.",
    "FileWatchConfig": "How often to look at a file; less often at one that does not "
    "change.",
    "JournalConfig": "Which journal to read, and from when on; *matches* are "
    "`FIELD=value`, separated by spaces. journalctl has to be there.",
    "PositionsConfig": "Where and how often positions are written.",
    "PushConfig": "A receiver of pushes; *labels* are put over those of the streams. "
    "Without *use_incoming_timestamp* a line is as old as its arrival.",
    "ProxyConfig": "Which proxy to go through.",
    "RelabelConfig": "One rule; *regex* has to match the whole text.",
    "SyslogConfig": "Where to listen for messages, and what becomes of them. Of "
    "*tls_config* a certificate, its key and the versions count, and a `ca` asks "
    "clients for a certificate that it has signed.",
    "TargetConfig": "How often to look for new files; *stdin* reads what is piped in.",
}
"""Where a docstring speaks of the program's values, not of what is written."""

ACTIONS: Final[Mapping[str, str]] = {
    "replace": "set `target_label` to `replacement` where `regex` matches the sources",
    "keep": "drop the target unless `regex` matches the sources",
    "drop": "drop the target if `regex` matches the sources",
    "keepequal": "drop the target unless the sources equal `target_label`",
    "dropequal": "drop the target if the sources equal `target_label`",
    "hashmod": "set `target_label` to the MD5 of the sources modulo `modulus`",
    "labelmap": "copy labels whose names match `regex` to what `replacement` makes "
    "of the name; names that Loki cannot have are left out",
    "labeldrop": "take away labels whose names match `regex`",
    "labelkeep": "take away labels whose names do not match `regex`",
    "lowercase": "set `target_label` to the sources in small letters",
    "uppercase": "set `target_label` to the sources in capitals",
}
