"""One module per upstream collector, named as its flag --collector.<name>."""
