"""What every program here shares, and nothing that only one of them needs.

Each module names the upstream code it stands for:

- `flags`, `kinds`, `kingpin`, `usage`: the command line (kingpin v2)
- `gotext`, `duration`: Go's spelling of numbers, strings and durations
- `logs`: logfmt and JSON lines (promslog)
- `exposition`, `compression`: metrics as the text Go prints (expfmt), gzip
- `selfmetrics`, `version`: build_info, process_*, promhttp_*
- `promhttp`: the handler of /metrics
- `web`, `landing`, `listen`: addresses, landing page, health (exporter-toolkit)
- `lifecycle`, `sdnotify`: signals, ordered stop, exit codes
- `decode`: YAML into frozen dataclasses, errors with file, line and column (yaml.v2)
- `regex`: Go's regular expressions (RE2)

The programs meet here: `flags.main` parses the command line, `logs.setup` starts
logging, and `lifecycle.run` runs a coroutine that ends in `web.serve`.
"""
