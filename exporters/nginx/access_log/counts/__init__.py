"""What is counted of the lines, and the families that show it."""
