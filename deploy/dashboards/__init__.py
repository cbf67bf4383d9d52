"""Grafana's dashboards as code: `python -m deploy.dashboards` writes the JSON.

A module for each dashboard, and the rooms that they share: `queries` (what is asked),
`panels` (how it is shown), `links`, `variables`, `annotations` and `page` (the frame).
"""
