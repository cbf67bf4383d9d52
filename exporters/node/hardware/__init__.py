"""CPUs, sensors and buses as the kernel tells them."""
