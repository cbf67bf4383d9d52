"""Pushes read: what a client sends to Loki's push API, from bytes to streams.

Counterpart of Loki's pkg/loghttp/push and pkg/push; `shipper.loki.encode` writes what
this package reads. The store and the ``loki_push_api`` receiver share it.
"""
