"""How the stack is set up, started and stopped."""
