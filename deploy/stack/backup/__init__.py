"""`make backup` and `make restore`: database, files and settings in one file."""
