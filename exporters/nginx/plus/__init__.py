"""Metrics of NGINX Plus, read from its API.

Upstream counterpart: nginx-prometheus-exporter ``collector/nginx_plus.go`` over
nginx-plus-go-client.
"""
