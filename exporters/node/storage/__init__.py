"""Disks, arrays and file systems as the kernel tells them."""
