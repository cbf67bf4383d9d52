"""The shipper's own pages: what is read, what the rules make of it, the config."""
