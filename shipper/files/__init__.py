"""The file side: globs, one tail per file, rotation, places kept over restarts."""
