"""Clients for AWS, and what they read: stacks, logs, metrics."""
