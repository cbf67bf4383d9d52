"""Text encodings of log files: bytes of one line in, UTF-8 out, as Go's decoders do."""
