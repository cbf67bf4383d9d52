"""What a line says: its fields, and the labels made of them."""
