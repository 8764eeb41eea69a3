"""This machine: processes, ports, locks, and what the harness remembers on it."""
