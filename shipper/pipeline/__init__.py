"""What happens to an entry between Docker and Loki."""
