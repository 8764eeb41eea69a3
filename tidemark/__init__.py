"""Tidemark: a testbed and load-test harness for CQRS on AWS."""
