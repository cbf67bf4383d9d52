"""Where lines come from: syslog by datagram or stream, files. Bytes in, lines out."""
