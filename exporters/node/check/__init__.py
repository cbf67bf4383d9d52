"""``--check``: what is wrong with this installation, in sentences. Ours alone."""
