"""The network as the kernel tells it: netlink, ethtool, sockets."""
