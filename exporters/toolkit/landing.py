"""The page at ``/`` (exporter-toolkit ``landing_page.go``)."""

from __future__ import annotations

import html

from . import version


def landing_page(name: str, description: str, path: str, color: str) -> str:
    """Return the HTML of ``/``: what runs here, its version, where the metrics are."""
    title = html.escape(name)
    return f"""<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="UTF-8">
    <meta name="viewport" content="width=device-width, initial-scale=1.0">
    <title>{title}</title>
    <style>
      body {{ font-family: system-ui, sans-serif; margin: 0; }}
      header {{ background-color: {html.escape(color)}; color: #fff; padding: 1rem; }}
      main {{ padding: 1rem; }}
    </style>
  </head>
  <body>
    <header><h1>{title}</h1></header>
    <main>
      <h2>{html.escape(description)}</h2>
      <div>Version: {html.escape(version.info())}</div>
      <ul><li><a href="{html.escape(path)}">Metrics</a></li></ul>
    </main>
  </body>
</html>
"""
