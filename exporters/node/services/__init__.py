"""Daemons that are asked over a socket: D-Bus, NTP, XML-RPC."""
