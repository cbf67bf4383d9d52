"""`make up`, `make down`, `make logs`, `make status` and `make local`."""
