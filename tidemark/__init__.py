"""Tidemark: a testbed and load-test harness for CQRS on AWS."""

DISTRIBUTION = "tidemark-cqrs"
"""What is installed: on PyPI `tidemark` is somebody else's."""
