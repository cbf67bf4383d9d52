"""What every program here shares, and nothing that only one of them needs.

Each module names the upstream code it stands for:

- `flags`, `builtin_flags`, `kinds`, `kingpin`, `usage`, `completion`: the command line
  (kingpin v2)
- `gotext`, `duration`: Go's spelling of numbers, strings and durations
- `logs`: logfmt and JSON lines (promslog)
- `exposition`, `openmetrics`, `protobuf`, `prototext`: metrics as Go writes them
  (expfmt), over `metric`, `exposed`, `gathering`, `pages`,
  `textform`, `wireform`, `wire`, `escaping`
- `negotiation`, `accept`, `encoders`, `compression`: which of them, gzip
- `selfmetrics`, `process_metrics`, `version`: build_info, promhttp_*, process_*
- `promhttp`: the handler of /metrics
- `http`: the HTTP server itself (net/http)
- `web`, `landing`, `serving`: landing page, health, sockets (exporter-toolkit)
- `listen`, `unix_socket`, `vsock`, `activation`: addresses, sockets of systemd
- `healthcheck`: the subcommand of that name, for images without a shell
- `protection`: --web.config.file, over `webconfig`, `config_file`, `guard`,
  `basic_auth`, `rate_limit`, `tls_context`, `tls_listen` (exporter-toolkit)
- `lifecycle`, `sdnotify`: signals, ordered stop, exit codes
- `decode`: YAML into frozen dataclasses, errors with file, line and column (yaml.v2)
- `regex`: Go's regular expressions (RE2)

The programs meet here: `flags.main` parses the command line, `logs.setup` starts
logging, and `lifecycle.run` runs a coroutine that ends in `web.serve`.
"""
