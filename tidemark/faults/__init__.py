"""What is broken on purpose: one context manager per fault, whose undoing is written down first."""
