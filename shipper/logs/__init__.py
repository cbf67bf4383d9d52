"""``python -m shipper logs``: the lines of a Loki, or of the store, in a terminal."""
