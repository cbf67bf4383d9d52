"""Lines on disk while memory is not enough, or while the program does not run."""
