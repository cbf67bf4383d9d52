"""Side by side runs against the upstream programs, and timings of our own parts."""
