"""The files of the textfile collector: formats and what becomes of them."""
